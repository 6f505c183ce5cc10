// The public keys that signatures of images and modules are checked with. Trust comes from the key alone: no
// certificate, no time, no log.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/keys.h"
#include "image/error.h"

namespace coffer::image::signature {

class TrustedKeys {
 public:
  // At most this many, in one file or directory or request.
  static constexpr std::size_t max_keys = 64;

  // One "PUBLIC KEY" block or several, one after the other, as `cosign generate-key-pair` writes cosign.pub: ECDSA of
  // P-256, P-384 and P-521, RSA, Ed25519. `what` stands in errors. bad_signing_key.
  static Result<TrustedKeys> parse(std::string_view pem, std::string_view what);
  // A file of such blocks, or a directory of files *.pem and *.pub. bad_signing_key where there is no key in it.
  static Result<TrustedKeys> load(const std::filesystem::path& path);

  const std::vector<crypto::PublicKey>& keys() const { return keys_; }
  // "sha256:..." over the keys, whatever their order in the file: the same for the same trust.
  std::string fingerprint() const;

 private:
  TrustedKeys() = default;
  Result<> add(std::string_view pem, std::string_view what);
  std::vector<crypto::PublicKey> keys_;
};

// How messages name a key: "P-256 sha256:..." over its SubjectPublicKeyInfo.
std::string describe(const crypto::PublicKey& key);

}  // namespace coffer::image::signature
