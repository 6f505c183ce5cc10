#include "vm/tpm.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <thread>

#include "vm/files.h"
#include "vm/tpm_commands.h"

namespace coffer::vm {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view state_file = "tpm2-00.permall";
constexpr std::string_view key_file = "ak.pem";
constexpr std::chrono::seconds start_time{10};

// `role` is swtpm's flag for the socket: --ctrl as QEMU wants it, --server for commands alone.
Result<Child> start_swtpm(const fs::path& state, std::string role, const fs::path& socket, std::string flags) {
  // It reports each connection's end as if that were an error.
  const FileDescriptor silence{::open("/dev/null", O_WRONLY | O_CLOEXEC)};
  auto child = TRY(
      Child::start({"swtpm", "socket", "--tpm2", "--tpmstate", "dir=" + state.string() + ",mode=0600", std::move(role),
                    "type=unixio,path=" + socket.string(), "--flags", std::move(flags), "--terminate"},
                   "swtpm", {.input = -1, .output = -1, .error = silence.get(), .own_group = true}));
  const auto deadline = std::chrono::steady_clock::now() + start_time;
  std::error_code failure;
  while (!fs::exists(socket, failure)) {
    if (child.ends_within(Duration{10}) || std::chrono::steady_clock::now() > deadline) {
      return fail(VmError::bad_tpm,
                  "swtpm does not start on " + state.string() + "; another machine may be running on this TPM");
    }
  }
  return child;
}

std::unexpected<Error> broken(std::string_view what) {
  return fail(VmError::bad_tpm, "swtpm's socket: " + std::string{what} + ": " + std::strerror(errno));
}

Result<FileDescriptor> connect_to(const fs::path& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.native().size() >= sizeof(address.sun_path)) {
    return fail(VmError::usage, path.string() + " is too long for a socket; set TMPDIR to a shorter folder");
  }
  std::memcpy(address.sun_path, path.c_str(), path.native().size());
  FileDescriptor out{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  const timeval limit{.tv_sec = start_time.count(), .tv_usec = 0};
  ::setsockopt(out.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  const auto deadline = std::chrono::steady_clock::now() + start_time;
  while (::connect(out.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    // The name is there a moment before anyone listens.
    if (errno != ECONNREFUSED || std::chrono::steady_clock::now() > deadline) return broken("connect");
    std::this_thread::sleep_for(std::chrono::milliseconds{2});
  }
  return out;
}

// A TPM answers each command by one response, which swtpm writes at once.
Result<Bytes> exchange(int socket, ByteView command) {
  if (::send(socket, command.data(), command.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(command.size())) {
    return broken("send");
  }
  std::array<std::byte, 4096> response{};
  const auto size = ::recv(socket, response.data(), response.size(), 0);
  if (size < 10) return broken("receive");
  return Bytes{response.begin(), response.begin() + size};
}

Result<crypto::PublicKey> initialize(const fs::path& socket) {
  const auto connection = TRY(connect_to(socket));
  const TpmChannel tpm = [&](ByteView command) { return exchange(connection.get(), command); };
  TRY(allocate_sha256_registers(tpm));
  auto key = TRY(make_attestation_key(tpm));
  TRY(shut_down(tpm));
  return key;
}

}  // namespace

Result<crypto::PublicKey> create_tpm(const fs::path& directory) {
  std::error_code failure;
  if (fs::exists(directory / state_file, failure)) {
    return fail(VmError::usage, directory.string() + " holds a TPM already");
  }
  TRY(make_directories(directory));
  fs::permissions(directory, fs::perms::owner_all, failure);
  const auto scratch = TRY(TemporaryDirectory::create());
  const auto socket = scratch.path() / "tpm.sock";
  auto child = TRY(start_swtpm(directory, "--server", socket, "not-need-init,startup-clear"));
  auto key = TRY(initialize(socket));
  child.wait();
  TRY(write_file(directory / key_file, as_bytes(key.to_pem())));
  return key;
}

Result<crypto::PublicKey> attestation_key(const fs::path& directory) {
  const auto text = TRY(read_file(directory / key_file));
  auto key = crypto::PublicKey::from_pem(as_text(text));
  if (!key) return fail(VmError::bad_tpm, (directory / key_file).string() + ": " + key.error().message);
  return key;
}

Result<RunningTpm> RunningTpm::start(const fs::path& state, const fs::path& socket) {
  std::error_code failure;
  if (!fs::exists(state / state_file, failure)) {
    return fail(VmError::bad_tpm, state.string() + " holds no TPM; `coffer vm tpm` makes one");
  }
  return RunningTpm {
    TRY(start_swtpm(state, "--ctrl", socket, "startup-clear"))
  };
}

}  // namespace coffer::vm
