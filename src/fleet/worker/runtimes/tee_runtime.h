// Encrypted tasks: attest, pull, decrypt and run in this process. The plaintext exists in this process's memory alone,
// and there is no way from here to running anything that was not encrypted.
#pragma once

#include <functional>
#include <semaphore>
#include <vector>

#include "fleet/worker/modules/module_cache.h"
#include "fleet/worker/modules/module_loader.h"
#include "fleet/worker/runtimes/in_process.h"
#include "fleet/worker/trust/tee_access.h"
#include "image/store.h"
#include "net/http_client.h"

namespace coffer::fleet::worker {

// How long the parts of one encrypted start took, and how they ended.
struct TeeTimings {
  struct KeyFetch {
    Duration took{0};
    std::string_view outcome{};
  };
  Duration pull_and_decrypt{0};
  std::size_t module_bytes = 0;
  std::vector<KeyFetch> keys{};
  std::optional<bool> kept{};  // whether the module was still there, opened; nothing where none is kept
  std::string_view outcome{};  // "ok", or the error's code
};

class TeeWasmRuntime final : public Runtime {
 public:
  struct Parts {
    TeeAccess& tee;
    ModuleLoader& loader;  // for what comes by proxy
    const SignaturePolicy& signatures;
    std::shared_ptr<net::HttpClient> http{};  // for registries
    std::function<void(const TeeTimings&)> observe{};
  };
  TeeWasmRuntime(const Config& config, Parts parts, InProcess in_process);

  std::string_view name() const override { return "tee"; }
  // worker.tee_not_available, worker.broker_not_allowed, guest.not_encrypted or image.not_encrypted for a plain image,
  // and what image, signatures and key client say. From what is kept opened only while this worker's attestation lives.
  Result<PreparedModule> prepare(const StartCommand& task, const std::stop_token& stop) override;
  RunReport run(const PreparedModule& module, const Run& run, const std::stop_token& stop) override;
  ModuleCache::Usage kept() const { return cache_.usage(); }

 private:
  struct Start;
  Result<PreparedModule> open(const StartCommand& task, const std::stop_token& stop, TeeTimings& timings);
  Result<PreparedModule> open_image(Start& start, image::ImageSource& source);
  Result<std::optional<PreparedModule>> from_kept(Start& start, const image::Digest& image);
  Result<std::unique_ptr<image::ImageSource>> open_source(const StartCommand& task, const std::stop_token& stop);
  const Config& config_;
  Parts parts_;
  InProcess in_process_;
  std::counting_semaphore<> pulls_;
  ModuleCache cache_;
};

}  // namespace coffer::fleet::worker
