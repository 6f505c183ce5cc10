// Pull, attest, decrypt and run one WASM image: coffer-run's whole job as a library, for programs that run tasks.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "codec/json.h"
#include "guest/error.h"
#include "workload/compiled_cache.h"
#include "workload/mode.h"

namespace coffer::guest {

using workload::CompiledCache;
using workload::Mode;

struct RunnerOptions {
  std::string image;  // reference or oci:DIR[:TAG]
  // Made at need and preopened for the guest under its own name, as upstream does. Empty: nothing is written anywhere.
  std::filesystem::path work_dir{};
  // Where layers are kept between runs, as the registry has them: encrypted ones stay encrypted. Empty:
  // work_dir/layers, or nowhere.
  std::filesystem::path layer_store{};

  Mode mode = Mode::automatic;
  std::string kbs_url{};
  std::string issuer_url{};
  std::string kbc_name{};  // "", "cc_kbc", "offline_fs_kbc", "sample" (published key)
  std::optional<std::filesystem::path> aa_config{};
  std::string key_id{};                               // overrides the annotation's kid; plain images are refused
  std::string tee{};                                  // "": the detected one; "sample", "simulated:snp" only by name
  std::filesystem::path simulator_directory{};        // keys for "simulated:..."
  std::vector<std::filesystem::path> offline_keys{};  // directories, or offline_fs_kbc JSON files
  std::optional<std::filesystem::path> kbs_certificate{};  // PEM of an extra root
  std::optional<std::filesystem::path> init_data{};        // TOML
  bool require_encrypted = false;                          // a plain image is refused
  bool allow_unattested = false;                           // take keys from a broker that serves without attestation

  std::optional<CompiledCache> compiled_cache{};
  std::string runtime{};  // "": embedded; otherwise a program and its path
  std::string invoke{};   // exported function; "": the command's start
  // "HOST:PORT": serves a component that handles HTTP requests there until SIGINT or SIGTERM, `timeout` a request.
  std::string serve{};
  std::vector<std::string> wasm_args{};
  std::vector<std::pair<std::string, std::string>> environment{};
  std::vector<std::pair<std::filesystem::path, std::string>> directories{};  // host, guest
  std::vector<std::string> allow_http{};  // "host:port" that the guest may send HTTP requests to; embedded alone
  bool inherit_stdin = false;
  std::uint64_t max_memory = 0;  // bytes; 0: the runtime's default
  std::uint64_t fuel = 0;        // 0: no limit
  Duration timeout{0};           // wall time of the guest; 0: no limit

  std::string registry_user{}, registry_password_file{};  // beside docker's config
  bool plain_http = false;
};

// What happened, for people and for --json.
struct Outcome {
  int exit_code = 0;             // see exit_code.h
  std::optional<Error> error{};  // none where the guest ended by itself
  codec::json::Object report{};  // image, digest, encrypted, mode, mode_reason, key_source, tee, exit_code, ...
};

// Guest output goes to standard output and error while it runs.
Outcome run(const RunnerOptions& options);

}  // namespace coffer::guest
