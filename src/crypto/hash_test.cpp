#include "crypto/hash.h"

#include <gtest/gtest.h>

#include "codec/base64.h"

namespace coffer::crypto {
namespace {

using codec::hex_encode;

TEST(Hash, known_digests_of_abc) {
  const auto abc = as_bytes("abc");
  EXPECT_EQ(hex_encode(hash(HashAlgorithm::sha1, abc)), "a9993e364706816aba3e25717850c26c9cd0d89d");
  EXPECT_EQ(hex_encode(sha256(abc)), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(hex_encode(sha384(abc)),
            "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7");
  EXPECT_EQ(hex_encode(hash(HashAlgorithm::sha512, abc)),
            "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
            "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f");
  EXPECT_EQ(hex_encode(hash(HashAlgorithm::sm3, abc)),
            "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0");
}

TEST(Hash, of_nothing) {
  EXPECT_EQ(hex_encode(sha256({})), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST(Hash, names_and_sizes_agree_with_digests) {
  for (const auto algorithm :
       {HashAlgorithm::sha1, HashAlgorithm::sha256, HashAlgorithm::sha384, HashAlgorithm::sha512, HashAlgorithm::sm3}) {
    EXPECT_EQ(parse_hash_algorithm(name_of(algorithm)), algorithm);
    EXPECT_EQ(hash(algorithm, {}).size(), digest_size(algorithm));
  }
  EXPECT_EQ(parse_hash_algorithm("SHA256"), HashAlgorithm::sha256);
  EXPECT_EQ(parse_hash_algorithm("md5"), std::nullopt);
}

TEST(Hasher, in_parts_gives_the_digest_of_the_whole_and_starts_anew) {
  Hasher hasher(HashAlgorithm::sha384);
  for (int round = 0; round < 2; ++round) {
    hasher.update(as_bytes("a"));
    hasher.update({});
    hasher.update(as_bytes("bc"));
    EXPECT_EQ(hasher.finish(), sha384(as_bytes("abc")));
  }
}

}  // namespace
}  // namespace coffer::crypto
