#include <gtest/gtest.h>

#include "codec/base64.h"
#include "workload/hal/hal_testing.h"

namespace coffer::workload::hal {
namespace {

using testing::bytes;
using testing::Guest;

std::string hex(const Value& value) {
  return value.if_bytes() != nullptr ? codec::hex_encode(*value.if_bytes()) : "";
}
Value unhex(std::string_view text) {
  return *codec::hex_decode(text);
}

TEST(HalCrypto, hashes_by_all_three_algorithms) {
  Guest guest;
  EXPECT_EQ(hex(guest.ok("crypto", "hash", {bytes("abc"), "sha256"})),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(hex(guest.ok("crypto", "hash", {bytes("abc"), "sha512"})),
            "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
            "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f");
  EXPECT_EQ(hex(guest.ok("crypto", "hash", {bytes("abc"), "blake3"})),
            "6437b3ac38465133ffb63b75273a8db548c558465d79db03fd359c6cd5bd9d85");
}

TEST(HalCrypto, opens_what_it_sealed_with_a_nonce_of_its_own_each_time) {
  Guest guest;
  const Value key = Bytes(32, std::byte{9});
  for (const auto* cipher : {"aes256-gcm", "chacha20-poly1305"}) {
    const auto sealed = guest.ok("crypto", "encrypt", {bytes("text"), key, cipher});
    EXPECT_EQ(sealed.if_bytes()->size(), 12U + 4 + 16);
    EXPECT_EQ(guest.ok("crypto", "decrypt", {sealed, key, cipher}), bytes("text"));
    EXPECT_NE(guest.ok("crypto", "encrypt", {bytes("text"), key, cipher}), sealed);
  }
}

TEST(HalCrypto, altered_or_foreign_ciphertext_is_an_error) {
  Guest guest;
  const Value key = Bytes(32, std::byte{9});
  for (const auto* cipher : {"aes256-gcm", "chacha20-poly1305"}) {
    auto sealed = *guest.ok("crypto", "encrypt", {bytes("text"), key, cipher}).if_bytes();
    EXPECT_EQ(guest.err("crypto", "decrypt", {sealed, Bytes(32, std::byte{8}), cipher}), "crypto.bad_tag");
    sealed.back() ^= std::byte{1};
    EXPECT_EQ(guest.err("crypto", "decrypt", {sealed, key, cipher}), "crypto.bad_tag");
    EXPECT_EQ(guest.err("crypto", "decrypt", {Bytes(27), key, cipher}), "hal.bad_value");
  }
  const auto sealed = guest.ok("crypto", "encrypt", {bytes("text"), key, "aes256-gcm"});
  EXPECT_EQ(guest.err("crypto", "decrypt", {sealed, key, "chacha20-poly1305"}), "crypto.bad_tag");
}

TEST(HalCrypto, keys_have_32_bytes) {
  Guest guest;
  for (const std::size_t size : {0U, 16U, 31U, 33U}) {
    EXPECT_EQ(guest.err("crypto", "encrypt", {bytes("t"), Bytes(size), "aes256-gcm"}), "hal.bad_value") << size;
    EXPECT_EQ(guest.err("crypto", "decrypt", {Bytes(40), Bytes(size), "aes256-gcm"}), "hal.bad_value") << size;
  }
}

TEST(HalCrypto, signs_as_rfc_8032_says) {
  Guest guest;
  // Section 7.1, test 2.
  const auto seed = unhex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb");
  const auto key = unhex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c");
  const auto signature = guest.ok("crypto", "sign", {unhex("72"), seed});
  EXPECT_EQ(hex(signature),
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
            "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00");
  EXPECT_EQ(guest.ok("crypto", "verify", {unhex("72"), signature, key}), Value{true});
  EXPECT_EQ(guest.ok("crypto", "verify", {unhex("73"), signature, key}), Value{false});
  EXPECT_EQ(guest.ok("crypto", "verify", {unhex("72"), bytes("no signature"), key}), Value{false});
  EXPECT_EQ(guest.err("crypto", "verify", {unhex("72"), signature, bytes("no key")}), "crypto.bad_key");
  EXPECT_EQ(guest.err("crypto", "sign", {unhex("72"), bytes("no key")}), "crypto.bad_key");
}

TEST(HalCrypto, a_generated_pair_belongs_together_and_its_halves_differ) {
  Guest guest;
  const auto pair = guest.ok("crypto", "generate-keypair");
  const auto& seed = *pair.find("private-key");
  const auto& key = *pair.find("public-key");
  EXPECT_EQ(seed.if_bytes()->size(), 32U);
  EXPECT_EQ(key.if_bytes()->size(), 32U);
  EXPECT_NE(seed, key);
  const auto signature = guest.ok("crypto", "sign", {bytes("m"), seed});
  EXPECT_EQ(guest.ok("crypto", "verify", {bytes("m"), signature, key}), Value{true});
}

TEST(HalCrypto, contexts_are_bounded_and_destroyed_once) {
  Guest guest;
  const auto first = guest.handle("crypto", "create-context");
  for (int i = 1; i < 64; ++i) guest.ok("crypto", "create-context");
  EXPECT_EQ(guest.err("crypto", "create-context"), "hal.limit");
  EXPECT_TRUE(guest.ok("crypto", "destroy-context", {first}).is_null());
  EXPECT_EQ(guest.err("crypto", "destroy-context", {first}), "hal.bad_handle");
  EXPECT_NE(guest.handle("crypto", "create-context"), first);
}

}  // namespace
}  // namespace coffer::workload::hal
