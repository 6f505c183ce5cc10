#include "keybroker/resources.h"

#include <algorithm>

#include "keybroker/refusal.h"

namespace coffer::keybroker {
namespace {

constexpr std::string_view space = "repository";
constexpr std::size_t max_segment = 128;

bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

bool valid_segment(std::string_view text) {
  return !text.empty() && text.size() <= max_segment && is_word(text.front()) &&
         std::ranges::all_of(text, [](char c) { return is_word(c) || c == '.'; });
}

Error storage_trouble(const Error& cause) {
  return because(BrokerError::storage_failed, "the resource store failed", cause);
}

std::unexpected<Error> missing(const ResourcePath& path) {
  return fail(BrokerError::resource_not_found, "resource " + path.text() + " not found");
}

}  // namespace

Result<ResourcePath> ResourcePath::create(std::vector<std::string> segments) {
  if (segments.size() == 3 && std::ranges::all_of(segments, valid_segment)) return ResourcePath{std::move(segments)};
  return fail(BrokerError::resource_path_invalid,
              "expected resource/<repository>/<type>/<tag>, each of letters, digits, '-', '_' and '.', found " +
                  std::to_string(segments.size()) + " segments, or other characters");
}

std::string ResourcePath::text() const {
  return segments_[0] + "/" + segments_[1] + "/" + segments_[2];
}

Result<SecretBytes> Resources::get(const ResourcePath& path) const {
  auto stored = store_->get(space, path.text());
  if (!stored) return fail(storage_trouble(stored.error()));
  auto& value = *stored;
  if (!value) return missing(path);
  auto secret = SecretBytes::copy_of(*value);
  wipe(*value);
  return secret;
}

Result<> Resources::put(const ResourcePath& path, ByteView content) {
  if (content.size() > max_size_) {
    return fail(BrokerError::body_too_large, "a resource of " + std::to_string(content.size()) +
                                                 " bytes is over the limit of " + std::to_string(max_size_));
  }
  const auto put = store_->put(space, path.text(), content);
  if (!put) return fail(storage_trouble(put.error()));
  return {};
}

Result<> Resources::erase(const ResourcePath& path) {
  const auto erased = store_->erase(space, path.text());
  if (!erased) return fail(storage_trouble(erased.error()));
  if (!*erased) return missing(path);
  return {};
}

Result<std::vector<std::string>> Resources::list(std::string_view prefix, std::string_view after,
                                                 std::size_t limit) const {
  auto keys = store_->list(space, prefix, after, limit);
  if (!keys) return fail(storage_trouble(keys.error()));
  return keys;
}

}  // namespace coffer::keybroker
