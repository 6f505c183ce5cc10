// Brings the module of a plain task: out of the message, from an http(s) address, from a registry, or piece by piece
// through the proxy.
#pragma once

#include <functional>
#include <memory>
#include <semaphore>
#include <stop_token>

#include "fleet/chunks.h"
#include "fleet/commands.h"
#include "fleet/worker/config.h"
#include "fleet/worker/error.h"
#include "fleet/worker/modules/signature_policy.h"
#include "image/digest.h"
#include "net/http_client.h"

namespace coffer::fleet::worker {

class ModuleLoader {
 public:
  struct Parts {
    std::shared_ptr<net::HttpClient> http;  // for modules' addresses and registries
    ChunkAssembler* chunks = nullptr;       // outlives the loader
    ChunkAssembler::Request ask_proxy{};
    std::function<void(std::size_t)> fetched{};   // bytes that came over the network
    const SignaturePolicy* signatures = nullptr;  // outlives the loader; none: nothing has to be signed
  };
  ModuleLoader(const TaskConfig& config, Parts parts);

  // `file` beats `image_url`, and is not copied: what comes back is the task's own. Errors: worker.http_status,
  // worker.module_too_large, worker.encrypted_image, and those of net, image and the chunks; image.digest_mismatch
  // where the request names another module's digest; of a signature that worker or request demand, those of
  // SignaturePolicy and SignatureDemand.
  Result<std::shared_ptr<const Bytes>> load(const StartCommand& task, const std::stop_token& stop);
  // Whether worker or request want it signed: then each start is checked anew.
  bool wants_signature(const StartCommand& task) const;
  // Through the proxy, as it came.
  Result<std::shared_ptr<const FetchedImage>> fetch_by_proxy(const std::string& name, const std::stop_token& stop);

 private:
  Result<std::shared_ptr<const Bytes>> fetch(const StartCommand& task, const SignatureDemand& demand,
                                             const std::stop_token& stop);
  Result<std::shared_ptr<const Bytes>> fetch_image(const StartCommand& task, const SignatureDemand& demand,
                                                   const std::stop_token& stop);
  Result<std::shared_ptr<const Bytes>> from_address(const std::string& url, const std::stop_token& stop);
  Result<std::shared_ptr<const Bytes>> from_registry(const StartCommand& task, const SignatureDemand& demand);

  const TaskConfig& config_;
  Parts parts_;
  std::counting_semaphore<> pulls_;
};

// An image_url of this kind comes from a registry, whatever the route: docker://.
bool names_registry(std::string_view image_url);
// Whether an image_url is fetched as it is: http:// or https://.
bool is_address(std::string_view image_url);
// Of an image that its reference names by digest: it is known before anybody is asked.
std::optional<image::Digest> pinned_digest(const std::string& image_url);
// image.digest_mismatch where the task names a digest and the module has another; image.bad_digest for no digest.
Result<> check_module_digest(const StartCommand& task, ByteView module);

}  // namespace coffer::fleet::worker
