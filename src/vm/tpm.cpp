#include "vm/tpm.h"

#include <thread>

#include "vm/files.h"

namespace coffer::vm {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view state_file = "tpm2-00.permall";
constexpr Duration start_time = std::chrono::seconds{10};

}  // namespace

Result<> create_tpm(const fs::path& directory) {
  std::error_code failure;
  if (fs::exists(directory / state_file, failure)) {
    return fail(VmError::usage, directory.string() + " holds a TPM already");
  }
  TRY(make_directories(directory));
  fs::permissions(directory, fs::perms::owner_all, failure);
  TRY(run_tool({"swtpm_setup", "--tpm2", "--tpmstate", directory.string(), "--ecc", "--create-ek-cert", "--pcr-banks",
                "sha256", "--overwrite"},
               "swtpm-tools"));
  return {};
}

Result<RunningTpm> RunningTpm::start(const fs::path& state, const fs::path& socket) {
  std::error_code failure;
  if (!fs::exists(state / state_file, failure)) {
    return fail(VmError::bad_tpm, state.string() + " holds no TPM; `coffer vm tpm` makes one");
  }
  auto child = TRY(Child::start({"swtpm", "socket", "--tpm2", "--tpmstate", "dir=" + state.string() + ",mode=0600", "--ctrl",
                                 "type=unixio,path=" + socket.string(), "--flags", "startup-clear", "--terminate"},
                                "swtpm"));
  const auto deadline = std::chrono::steady_clock::now() + start_time;
  while (!fs::exists(socket, failure)) {
    if (child.ends_within(Duration{10}) || std::chrono::steady_clock::now() > deadline) {
      return fail(VmError::bad_tpm, "swtpm does not start on " + state.string() +
                                        "; another machine may be running on this TPM");
    }
  }
  return RunningTpm{std::move(child)};
}

}  // namespace coffer::vm
