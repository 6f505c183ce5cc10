#include "fleet/detail/assembly.h"

#include "base/printable.h"
#include "codec/base64.h"
#include "crypto/hash.h"

namespace coffer::fleet::detail {
namespace {

Result<> check_digest(const std::string& expected, ByteView data) {
  const auto colon = expected.find(':');
  const auto algorithm = crypto::parse_hash_algorithm(expected.substr(0, colon));
  const bool known = algorithm == crypto::HashAlgorithm::sha256 || algorithm == crypto::HashAlgorithm::sha512;
  if (!known)
    return fail(FleetError::digest_mismatch,
                "expected a sha256 or sha512 digest, found \"" + printable(expected, 96) + "\"");
  const std::string found =
      std::string{crypto::name_of(*algorithm)} + ":" + codec::hex_encode(crypto::hash(*algorithm, data));
  if (found != expected)
    return fail(FleetError::digest_mismatch,
                "expected a layer with digest " + printable(expected, 160) + ", found " + found);
  return {};
}

}  // namespace

Result<> Assembly::refuse(std::string why) {
  refused_some_ = true;
  return fail(FleetError::bad_chunk, std::move(why));
}

Result<> Assembly::end(FleetError code, std::string why) {
  Error error{code, std::move(why)};
  give_up(error);
  return std::unexpected{failure_.value_or(std::move(error))};
}

Result<> Assembly::check_bounds(const Chunk& chunk) {
  if (chunk.total == 0 || chunk.index >= chunk.total)
    return refuse("expected a chunk below the total of " + std::to_string(chunk.total) + ", found number " +
                  std::to_string(chunk.index));
  if (total_ != 0 && chunk.total != total_)
    return refuse("expected a total of " + std::to_string(total_) + " chunks as before, found " +
                  std::to_string(chunk.total));
  if (chunk.total > limits_.max_chunks)
    return end(FleetError::bad_chunk, "expected at most " + std::to_string(limits_.max_chunks) + " chunks, found " +
                                          std::to_string(chunk.total));
  if (chunk.data.size() > limits_.max_image_size - bytes_)
    return end(FleetError::bad_chunk,
               "expected an image of at most " + std::to_string(limits_.max_image_size) + " bytes, found more");
  return {};
}

Result<> Assembly::accept(Chunk chunk, SteadyTime now) {
  if (chunk.error) {
    const std::string code = chunk.code.empty() ? "" : " (" + printable(chunk.code, 64) + ")";
    return end(FleetError::fetch_failed,
               "the proxy could not fetch the image: " + printable(*chunk.error, 1024) + code);
  }
  TRY(check_bounds(chunk));
  total_ = chunk.total;
  if (digest_.empty()) digest_ = std::move(chunk.digest);
  if (manifest_.empty()) manifest_ = std::move(chunk.manifest);
  if (config_.empty()) config_ = std::move(chunk.config);
  if (annotations_.empty()) annotations_ = std::move(chunk.annotations);
  if (signatures_.empty()) signatures_ = std::move(chunk.signatures);
  const std::size_t size = chunk.data.size();
  if (!parts_.try_emplace(chunk.index, std::move(chunk.data)).second) return {};
  bytes_ += size;
  ask_at_ = now + limits_.ask_again;
  return {};
}

void Assembly::asked(SteadyTime now) {
  ask_at_ = now + limits_.ask_again;
  if (!std::exchange(refused_some_, false)) return;
  parts_.clear();
  bytes_ = 0;
  total_ = 0;
  digest_.clear();
  manifest_.clear();
  config_.clear();
  annotations_.clear();
  signatures_.clear();
}

Result<std::shared_ptr<const FetchedImage>> Assembly::join() && {
  auto image = std::make_shared<FetchedImage>();
  image->data.reserve(bytes_);
  for (auto& [index, part] : parts_) {
    image->data.insert(image->data.end(), part.begin(), part.end());
    part = Bytes{};  // as it goes, so that the image is not held twice
  }
  if (!digest_.empty()) TRY(check_digest(digest_, image->data));
  image->digest = std::move(digest_);
  image->manifest = std::move(manifest_);
  image->config = std::move(config_);
  image->annotations = std::move(annotations_);
  image->signatures = std::move(signatures_);
  return std::shared_ptr<const FetchedImage>{std::move(image)};
}

}  // namespace coffer::fleet::detail
