#include "fleet/proxy/fetcher.h"

#include <algorithm>

#include "base/printable.h"
#include "codec/base64.h"
#include "fleet/proxy/signatures.h"
#include "image/store.h"

namespace coffer::fleet::proxy {
namespace {

struct Resolved {
  image::RawManifest raw;
  image::Manifest manifest;
};

Result<Resolved> resolve(image::ImageSource& source) {
  auto raw = TRY(source.manifest(std::nullopt));
  if (image::is_index(raw.media_type)) {
    const auto index = TRY(image::Index::parse(raw.content, raw.media_type));
    const auto chosen = TRY(index.choose(image::Platform::host()));
    raw = TRY(source.manifest(chosen.digest));
  }
  auto manifest = TRY(image::Manifest::parse(raw.content, raw.media_type));
  return Resolved{std::move(raw), std::move(manifest)};
}

bool is_encrypted(const image::Descriptor& layer) {
  const auto kind = image::classify_layer(layer.media_type);
  return kind ? kind->encrypted : layer.media_type.ends_with(image::media_type::encrypted_suffix);
}

// What a worker needs to open the layer: ciphertext without it is of no use, a plain module is.
Result<Chunk> first_chunk(const std::string& app_name, image::ImageSource& source, const Resolved& image,
                          const image::Descriptor& layer, const FetchConfig& config) {
  Chunk chunk{.app_name = app_name, .digest = layer.digest.text(), .manifest = to_text(image.raw.content)};
  const bool encrypted = is_encrypted(layer);
  if (encrypted) {
    chunk.annotations = layer.annotations;
    chunk.config = to_text(TRY(image::fetch_small_blob(source, image.manifest.config, config.max_message)));
  }
  const std::size_t data =
      (static_cast<std::size_t>(std::min<std::uint64_t>(layer.size, config.chunk_size)) + 2) / 3 * 4;
  const std::size_t size = to_json(chunk).size() + data + 64;  // index and total
  chunk.signatures = signatures_beside(source, image.raw.digest);
  if (to_json(chunk).size() + data + 64 <= config.max_message) return chunk;
  chunk.signatures.clear();  // without them, who demands some refuses; without the rest, nobody can open it
  if (size <= config.max_message) return chunk;
  if (encrypted)
    return fail(ProxyError::too_large, "the encrypted image's manifest does not fit into one message of " +
                                           std::to_string(config.max_message) + " bytes beside a chunk");
  chunk.manifest.clear();
  return chunk;
}

}  // namespace

const image::Descriptor& choose_layer(const image::Manifest& manifest) {
  const image::Descriptor* wasm = nullptr;
  std::size_t count = 0;
  for (const auto& layer : manifest.layers) {
    const auto kind = image::classify_layer(layer.media_type);
    if (!kind || kind->content != image::LayerContent::wasm) continue;
    wasm = &layer;
    ++count;
  }
  if (count == 1) return *wasm;
  return *std::ranges::max_element(manifest.layers, {}, &image::Descriptor::size);
}

Result<Fetcher> Fetcher::create(const FetchConfig& config) {
  auto http = TRY(net::HttpClient::create({.user_agent = "coffer-proxy", .extra_root_pems = config.root_pems}));
  return Fetcher{config, std::move(http)};
}

Result<image::ImageReference> Fetcher::parse(const std::string& app_name) const {
  auto reference = TRY(image::ImageReference::parse(app_name));
  const auto& allowed = config_->allowed_registries;
  if (allowed.empty() || std::ranges::any_of(allowed, [&](const auto& host) { return host == reference.host(); }))
    return reference;
  return fail(ProxyError::registry_refused, "this proxy does not fetch from " + printable(reference.host(), 256));
}

image::RegistryOptions Fetcher::options_for(const image::ImageReference& reference) const {
  image::RegistryOptions options{.http = http_};
  const bool ours = reference.host() == config_->registry_host;
  if (ours && config_->registry_plain_http) options.plain_http = true;
  if (auto credentials = ours ? config_->auth.find(reference) : std::nullopt)
    options.auth.add(reference.host(), std::move(*credentials));
  return options;
}

Result<Fetched> Fetcher::fetch(const std::string& app_name, const ChunkSender::Send& send) const {
  const auto reference = TRY(parse(app_name));
  const auto registry = TRY(image::Registry::open(reference, options_for(reference)));
  const auto image = TRY(resolve(*registry));
  const auto& layer = choose_layer(image.manifest);
  if (layer.size > config_->max_layer)
    return fail(ProxyError::too_large, "expected a layer of at most " + std::to_string(config_->max_layer) +
                                           " bytes, found " + std::to_string(layer.size));
  auto first = TRY(first_chunk(app_name, *registry, image, layer, *config_));
  ChunkSender sender{std::move(first), layer.size, config_->chunk_size, send};
  TRY(image::fetch_blob(*registry, layer, sender));
  return Fetched{
      .chunks = sender.sent(), .bytes = layer.size, .digest = layer.digest.text(), .encrypted = is_encrypted(layer)};
}

}  // namespace coffer::fleet::proxy
