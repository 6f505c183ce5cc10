#include "crypto/mac.h"

#include <gtest/gtest.h>

#include "codec/base64.h"

namespace coffer::crypto {
namespace {

TEST(Hmac, rfc_4231_test_case_1) {
  const Bytes key(20, std::byte{0x0b});
  EXPECT_EQ(codec::hex_encode(hmac(HashAlgorithm::sha256, key, as_bytes("Hi There"))),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  EXPECT_EQ(codec::hex_encode(hmac(HashAlgorithm::sha384, key, as_bytes("Hi There"))),
            "afd03944d84895626b0825f4ab46907f15f9dadbe4101ec682aa034c7cebc59cfaea9ea9076ede7f4af152e8b2fa9cb6");
}

TEST(Hmac, empty_key_and_message) {
  EXPECT_EQ(codec::hex_encode(hmac(HashAlgorithm::sha256, {}, {})),
            "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

TEST(Hmac, in_parts_gives_the_tag_of_the_whole_and_keeps_its_key) {
  const auto key = as_bytes("a key");
  Hmac mac(HashAlgorithm::sha256, key);
  for (int round = 0; round < 2; ++round) {
    mac.update(as_bytes("some "));
    mac.update(as_bytes("text"));
    EXPECT_EQ(mac.finish(), hmac(HashAlgorithm::sha256, key, as_bytes("some text")));
  }
}

}  // namespace
}  // namespace coffer::crypto
