#include "evidence/simulator_root.h"

#include <fcntl.h>

#include <cerrno>
#include <fstream>
#include <iterator>
#include <system_error>

#include "base/file_descriptor.h"
#include "base/secret_bytes.h"

namespace coffer::evidence {

namespace {

using namespace std::chrono_literals;

std::unexpected<Error> cannot(std::string_view what, const std::filesystem::path& path, std::string_view reason) {
  return fail(EvidenceError::bad_config, "cannot " + std::string{what} + " " + path.string() + ": " +
                                             std::string{reason} +
                                             "; `coffer simulate init` makes the simulator's keys");
}

std::string errno_text() {
  return std::generic_category().message(errno);
}

Result<> write_file(const std::filesystem::path& path, ByteView content, mode_t mode) {
  ::unlink(path.c_str());  // so that the mode below holds for a file that stood there already
  const FileDescriptor file{::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)};
  if (!file) return cannot("write", path, errno_text());
  const auto written = ::write(file.get(), content.data(), content.size());
  if (written != static_cast<ssize_t>(content.size())) return cannot("write", path, errno_text());
  return {};
}

Result<SecretBytes> read_file(const std::filesystem::path& path) {
  constexpr std::size_t limit = 64 * 1024;
  const FileDescriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (!file) return cannot("read", path, errno_text());
  SecretBytes content(limit);
  std::size_t size = 0;
  while (size < limit) {
    const auto rest = content.mutable_expose().subspan(size);
    const auto got = ::read(file.get(), rest.data(), rest.size());
    if (got < 0) return cannot("read", path, errno_text());
    if (got == 0) break;
    size += static_cast<std::size_t>(got);
  }
  content.truncate(size);
  return content;
}

std::filesystem::path file_of(const std::filesystem::path& directory, std::string_view name,
                              std::string_view extension) {
  return directory / (std::string{name} + std::string{extension});
}

Result<SimulatorRoot> make_root(std::string name, TimePoint now, crypto::KeyKind kind) {
  auto key = TRY(crypto::PrivateKey::generate(kind));
  crypto::CertificateRequest request{
      .common_name = std::move(name), .not_before = now - 1h, .not_after = now + 24h * 3652, .is_ca = true};
  auto certificate = TRY(crypto::self_sign(request, key));
  return SimulatorRoot{std::move(certificate), std::move(key)};
}

}  // namespace

Result<SimulatorRoot> make_simulator_root(TimePoint now, crypto::KeyKind kind) {
  return make_root(std::string{simulator_mark} + ": Coffer simulator root", now, kind);
}

Result<SimulatorRoot> make_foreign_root(TimePoint now) {
  return make_root("a foreign root", now, crypto::KeyKind::ec_p384);
}

Result<> write_simulator_root(const std::filesystem::path& directory, const SimulatorRoot& root,
                              std::string_view name) {
  std::error_code failed;
  std::filesystem::create_directories(directory, failed);
  if (failed) return cannot("make the directory", directory, failed.message());
  const auto key = root.key.to_pem_pkcs8();
  TRY(write_file(file_of(directory, name, ".key"), key.expose(), 0600));
  return write_file(file_of(directory, name, ".pem"), as_bytes(root.certificate.to_pem()), 0644);
}

Result<SimulatorRoot> load_simulator_root(const std::filesystem::path& directory, std::string_view name) {
  const auto certificate_file = file_of(directory, name, ".pem");
  const auto key_file = file_of(directory, name, ".key");
  const auto pem = TRY(read_file(certificate_file));
  const auto roots = parse_simulator_roots(as_text(pem.expose()));
  if (!roots && roots.error().code == EvidenceError::simulated_refused) return fail(roots.error());
  if (!roots) return cannot("read", certificate_file, roots.error().message);
  const auto key_pem = TRY(read_file(key_file));
  auto key = crypto::PrivateKey::from_pem(key_pem.expose());
  if (!key) return cannot("read", key_file, key.error().message);
  const auto certified = roots->front().public_key();
  if (!certified || !(*certified == key->public_key())) {
    return cannot("use", key_file, "it is not the key of " + certificate_file.string());
  }
  return SimulatorRoot{roots->front(), *std::move(key)};
}

}  // namespace coffer::evidence
