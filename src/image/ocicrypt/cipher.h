// AES_256_CTR_HMAC_SHA256 over one layer: encrypt then MAC, the MAC over the ciphertext alone and under the same key
// (guest-components.md 4.2). The verdict comes at the end of the stream: what is released before it is not authentic.
#pragma once

#include "crypto/cipher.h"
#include "crypto/mac.h"
#include "image/ocicrypt/options.h"
#include "image/pipeline/forward.h"

namespace coffer::image::ocicrypt {

// Passes plaintext on as it goes; finish() reaches `next` only when the MAC and, where known, the digest hold.
// A content error of a later stage is held back until the MAC's verdict, which explains it better.
class DecryptSink final : public ByteSink {
 public:
  static Result<std::unique_ptr<DecryptSink>> create(const PublicOptions& public_options,
                                                     const PrivateOptions& private_options, ByteSink& next);
  Result<> write(ByteView data) override;
  Result<> finish() override;

 private:
  DecryptSink(crypto::AesCtr cipher, crypto::Hmac mac, Bytes expected_mac, std::optional<Digest> digest,
              ByteSink& next);
  Result<> check_end();

  crypto::AesCtr cipher_;
  crypto::Hmac mac_;
  Bytes expected_mac_;
  std::optional<Digest> expected_digest_;
  std::optional<crypto::Hasher> digest_;
  Forward next_;
  SecretBytes buffer_;
};

// Passes ciphertext on. After finish() the two option documents are complete.
class EncryptSink final : public ByteSink {
 public:
  static Result<std::unique_ptr<EncryptSink>> create(ByteSink& next);
  Result<> write(ByteView data) override;
  Result<> finish() override;

  PublicOptions public_options() const;
  PrivateOptions private_options() const;

 private:
  EncryptSink(SecretBytes key, Bytes nonce, crypto::AesCtr cipher, crypto::Hmac mac, ByteSink& next);

  SecretBytes key_;
  Bytes nonce_;
  crypto::AesCtr cipher_;
  crypto::Hmac mac_;
  crypto::Hasher digest_;
  ByteSink& next_;
  Bytes buffer_;
  Bytes final_mac_;
  std::optional<Digest> final_digest_;
};

}  // namespace coffer::image::ocicrypt
