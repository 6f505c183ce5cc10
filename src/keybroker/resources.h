// Resources: secrets under repository/type/tag.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/secret_bytes.h"
#include "keybroker/error.h"
#include "storage/key_value_store.h"

namespace coffer::keybroker {

// Exactly three segments, each [A-Za-z0-9_-][A-Za-z0-9_.-]* as upstream demands (trustee.md 5.2).
class ResourcePath {
 public:
  // BrokerError::resource_path_invalid.
  static Result<ResourcePath> create(std::vector<std::string> segments);
  const std::vector<std::string>& segments() const { return segments_; }
  std::string text() const;  // "default/key/k1"

 private:
  explicit ResourcePath(std::vector<std::string> segments) : segments_(std::move(segments)) {}
  std::vector<std::string> segments_;
};

class Resources {
 public:
  Resources(std::shared_ptr<storage::KeyValueStore> store, std::size_t max_size)
      : store_(std::move(store)), max_size_(max_size) {}

  // resource_not_found; storage_failed, also where two files stand for one resource.
  Result<SecretBytes> get(const ResourcePath& path) const;
  // body_too_large over the limit.
  Result<> put(const ResourcePath& path, ByteView content);
  // resource_not_found where there was none.
  Result<> erase(const ResourcePath& path);
  // Names only, sorted.
  Result<std::vector<std::string>> list(std::string_view prefix, std::string_view after, std::size_t limit) const;

 private:
  std::shared_ptr<storage::KeyValueStore> store_;
  std::size_t max_size_;
};

}  // namespace coffer::keybroker
