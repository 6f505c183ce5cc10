// Client of the OCI distribution specification v1.1 (registry v2): pull and push.
#pragma once

#include <memory>

#include "image/registry_auth.h"
#include "image/store.h"
#include "net/http_client.h"

namespace coffer::image {

struct RegistryOptions {
  std::shared_ptr<net::HttpClient> http{};  // none: a client with the system's roots is made
  AuthConfig auth{};
  std::optional<bool> plain_http{};  // nothing: loopback hosts alone
  std::size_t attempts = 4;          // tries of one request or blob, resumed where it broke off
  std::size_t upload_chunk_size = 8U << 20;
  Duration timeout = std::chrono::minutes{60};
  Duration stall_timeout = std::chrono::seconds{30};
  Duration first_retry_delay = std::chrono::milliseconds{250};
};

class Registry final : public ImageSource, public ImageSink {
 public:
  static Result<std::unique_ptr<Registry>> open(ImageReference reference, RegistryOptions options = {});
  ~Registry() override;

  Result<RawManifest> manifest(const std::optional<Digest>& digest) override;
  Result<> read_blob(const Descriptor& blob, ByteSink& sink) override;
  Result<RawManifest> tagged(const std::string& tag) override;
  // By the referrers API, or where the registry has none by its tag schema. The first page.
  Result<Index> referrers(const Digest& subject) override;
  Result<bool> has_blob(const Digest& digest) override;
  Result<std::unique_ptr<BlobWriter>> begin_blob() override;
  Result<> put_manifest(const RawManifest& manifest, bool tagged) override;
  std::string name() const override;

  // All tags of the repository, following Link headers (at most 100 pages).
  Result<std::vector<std::string>> tags();
  const ImageReference& reference() const;

 private:
  struct Impl;
  explicit Registry(std::shared_ptr<Impl> impl);
  std::shared_ptr<Impl> impl_;
};

}  // namespace coffer::image
