// One image from its registry to the workers.
#pragma once

#include <memory>

#include "fleet/proxy/chunk_sender.h"
#include "fleet/proxy/config.h"
#include "fleet/proxy/error.h"
#include "image/manifest.h"
#include "net/http_client.h"

namespace coffer::fleet::proxy {

struct Fetched {
  std::uint64_t chunks = 0, bytes = 0;
  std::string digest{};
  bool encrypted = false;
};

class Fetcher {
 public:
  static Result<Fetcher> create(const FetchConfig& config);

  // Resolves tag or digest (an index to its WASM or Linux entry), and sends the module's layer as it is stored, each
  // chunk by `send`. Errors of image and net, ProxyError::registry_refused, too_large.
  Result<Fetched> fetch(const std::string& app_name, const ChunkSender::Send& send) const;

 private:
  Fetcher(const FetchConfig& config, std::shared_ptr<net::HttpClient> http)
      : config_(&config), http_(std::move(http)) {}
  Result<image::ImageReference> parse(const std::string& app_name) const;
  image::RegistryOptions options_for(const image::ImageReference& reference) const;

  const FetchConfig* config_;
  std::shared_ptr<net::HttpClient> http_;
};

// The layer that upstream's proxy sends is the largest. One layer that is a WASM module by its type goes before.
const image::Descriptor& choose_layer(const image::Manifest& manifest);

}  // namespace coffer::fleet::proxy
