#include <gtest/gtest.h>

#include "crypto/aead.h"
#include "crypto/kdf.h"
#include "crypto/key_wrap.h"
#include "crypto/mac.h"
#include "crypto/wycheproof_testing.h"
#include "testing/vectors.h"

namespace coffer::crypto::wycheproof {
namespace {

TEST(Wycheproof, aes_gcm) {
  COFFER_REQUIRE_VECTORS();
  run_file("aes_gcm", [](const Vector& v) -> Outcome {
    const auto key = v.hex("key"), iv = v.hex("iv"), aad = v.hex("aad"), message = v.hex("msg");
    if (iv.size() > 64) return Skipped{"IV over 64 bytes, which the interface refuses"};
    const auto opened = aes_gcm_open(key, iv, aad, v.hex("ct"), v.hex("tag"));
    if (!opened) return Verdict::rejected;
    if (iv.size() == gcm_iv_size) {
      const auto sealed = aes_gcm_seal(key, iv, aad, message);
      EXPECT_TRUE(sealed && equal(sealed->ciphertext, v.hex("ct")) && equal(sealed->tag, v.hex("tag")));
    }
    return accepted_if(equal(opened->expose(), message));
  });
}

TEST(Wycheproof, aes_wrap) {
  COFFER_REQUIRE_VECTORS();
  run_file("aes_wrap", [](const Vector& v) -> Outcome {
    const auto key = v.hex("key"), message = v.hex("msg"), wrapped = v.hex("ct");
    const auto unwrapped = aes_key_unwrap(key, wrapped);
    if (!unwrapped) return Verdict::rejected;
    const auto again = aes_key_wrap(key, message);
    return accepted_if(equal(unwrapped->expose(), message) && again && equal(*again, wrapped));
  });
}

TEST(Wycheproof, hkdf_sha256) {
  COFFER_REQUIRE_VECTORS();
  run_file("hkdf_sha256", [](const Vector& v) -> Outcome {
    const auto derived = hkdf(HashAlgorithm::sha256, v.hex("ikm"), v.hex("salt"), v.hex("info"),
                              static_cast<std::size_t>(v.number("size")));
    return accepted_if(derived && equal(derived->expose(), v.hex("okm")));
  });
}

TEST(Wycheproof, hmac_sha256) {
  COFFER_REQUIRE_VECTORS();
  run_file("hmac_sha256", [](const Vector& v) -> Outcome {
    auto tag = hmac(HashAlgorithm::sha256, v.hex("key"), v.hex("msg"));
    tag.resize(static_cast<std::size_t>(v.group_number("tagSize") / 8));
    return accepted_if(constant_time_equal(tag, v.hex("tag")));
  });
}

}  // namespace
}  // namespace coffer::crypto::wycheproof
