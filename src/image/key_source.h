// Where the key encryption keys of layers come from. Runner, guest and CLI bring their own: a key broker, a directory,
// a file.
#pragma once

#include <map>
#include <mutex>
#include <string>

#include "base/secret_bytes.h"
#include "codec/resource_uri.h"
#include "image/error.h"

namespace coffer::image {

class KeySource {
 public:
  virtual ~KeySource() = default;
  // The key as its keeper gave it out; parse_kek (ocicrypt/kek.h) reads its form.
  virtual Result<SecretBytes> fetch(const codec::ResourceUri& kid) = 0;
};

// Asks once for each key: the layers of one image mostly share theirs. Lives as long as one pull.
class RememberingKeySource final : public KeySource {
 public:
  explicit RememberingKeySource(KeySource& next) : next_(next) {}
  Result<SecretBytes> fetch(const codec::ResourceUri& kid) override;

 private:
  KeySource& next_;
  std::mutex mutex_;
  std::map<std::string, SecretBytes> keys_;
};

}  // namespace coffer::image
