#include "evidence/tpm/quote.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "codec/base64.h"
#include "evidence/mutation_testing.h"
#include "evidence/tee.h"
#include "testing/vectors.h"

namespace coffer::evidence::tpm {
namespace {

using crypto::HashAlgorithm;
using crypto::SignatureScheme;
using ::testing::HasSubstr;

const std::vector<Bytes> two_pcrs{Bytes(32, std::byte{1}), Bytes(32, std::byte{2})};

Quote valid() {
  return {.qualified_signer = Bytes(34, std::byte{0xaa}),
          .extra_data = Bytes(32, std::byte{0xbb}),
          .clock = 5,
          .reset_count = 6,
          .restart_count = 7,
          .safe = true,
          .firmware_version = 8,
          .selections = {{HashAlgorithm::sha256, {4, 9}}},
          .pcr_digest = crypto::sha256(concat({two_pcrs[0], two_pcrs[1]}))};
}

ErrorCode refusal(ByteView message) {
  const auto quote = parse_quote(message);
  EXPECT_FALSE(quote);
  return quote ? ErrorCode{TpmError::untrusted_ak} : quote.error().code;
}

Bytes with_byte(Bytes bytes, std::size_t at, unsigned value) {
  bytes.at(at) = static_cast<std::byte>(value);
  return bytes;
}

// magic 4, type 2, signer 2 + 34, extra data 2 + 32, clock 8 + 4 + 4, safe 1, firmware 8, count 4, bank 2, size 1.
constexpr std::size_t safe_at = 6 + 36 + 34 + 16;
constexpr std::size_t count_at = safe_at + 1 + 8;
constexpr std::size_t bank_at = count_at + 4;

TEST(Quote, is_read_as_it_was_written) {
  const auto quote = parse_quote(encode_quote(valid()));
  ASSERT_TRUE(quote) << to_string(quote.error());
  EXPECT_EQ(*quote, valid());
}

TEST(Quote, a_message_that_no_tpm_made_is_refused) {
  EXPECT_EQ(refusal(with_byte(encode_quote(valid()), 0, 0xfe)), TpmError::bad_quote);
}

TEST(Quote, an_attestation_of_another_type_is_refused) {
  EXPECT_EQ(refusal(with_byte(encode_quote(valid()), 5, 0x17)), TpmError::not_a_quote);
}

TEST(Quote, every_other_length_is_refused) {
  const auto accepts = [](ByteView bytes) { return parse_quote(bytes).has_value(); };
  expect_every_other_length_refused(encode_quote(valid()), accepts);
}

TEST(Quote, sizes_beyond_their_fields_are_refused) {
  const auto message = encode_quote(valid());
  EXPECT_EQ(refusal(with_byte(message, 6, 1)), TpmError::bad_quote);
  EXPECT_EQ(refusal(with_byte(message, 6 + 36, 1)), TpmError::bad_quote);
  EXPECT_EQ(refusal(with_byte(message, safe_at, 2)), TpmError::bad_quote);
  EXPECT_EQ(refusal(with_byte(message, count_at, 1)), TpmError::bad_quote);
  EXPECT_EQ(refusal(with_byte(message, bank_at + 2, 5)), TpmError::bad_quote);
}

TEST(Quote, a_bank_of_unknown_hash_is_refused) {
  EXPECT_EQ(refusal(with_byte(encode_quote(valid()), bank_at + 1, 0x77)), TpmError::unsupported_algorithm);
}

TEST(Quote, selections_of_nothing_are_passed_over) {
  auto quote = valid();
  quote.selections.insert(quote.selections.begin(), {HashAlgorithm::sha1, {}});
  EXPECT_EQ(*parse_quote(encode_quote(quote)), valid());
}

TEST(Pcrs, quoted_values_are_given_by_their_numbers) {
  const auto pcrs = check_pcrs(valid(), two_pcrs, HashAlgorithm::sha256);
  ASSERT_TRUE(pcrs) << to_string(pcrs.error());
  EXPECT_EQ(*pcrs, (PcrValues{{4, two_pcrs[0]}, {9, two_pcrs[1]}}));
}

TEST(Pcrs, values_that_were_not_quoted_are_refused_with_both_digests) {
  auto values = two_pcrs;
  values[1][31] ^= std::byte{1};
  const auto pcrs = check_pcrs(valid(), values, HashAlgorithm::sha256);
  ASSERT_FALSE(pcrs);
  EXPECT_EQ(pcrs.error().code, TpmError::pcr_digest_mismatch);
  EXPECT_THAT(pcrs.error().message, HasSubstr(codec::hex_encode(valid().pcr_digest)));
  EXPECT_THAT(pcrs.error().message, HasSubstr(codec::hex_encode(crypto::sha256(concat({values[0], values[1]})))));
}

TEST(Pcrs, a_selection_that_does_not_fit_the_values_is_refused) {
  const auto refused = [](const Quote& quote, std::vector<Bytes> values) {
    const auto pcrs = check_pcrs(quote, values, HashAlgorithm::sha256);
    EXPECT_FALSE(pcrs);
    return pcrs ? ErrorCode{TpmError::untrusted_ak} : pcrs.error().code;
  };
  EXPECT_EQ(refused(valid(), {two_pcrs[0]}), TpmError::bad_pcr_selection);
  EXPECT_EQ(refused(valid(), {two_pcrs[0], Bytes(20)}), TpmError::bad_pcr_selection);
  auto none = valid();
  none.selections.clear();
  EXPECT_EQ(refused(none, {}), TpmError::bad_pcr_selection);
  auto two_banks = valid();
  two_banks.selections.push_back({HashAlgorithm::sha1, {0}});
  EXPECT_EQ(refused(two_banks, two_pcrs), TpmError::bad_pcr_selection);
  auto sha1 = valid();
  sha1.selections[0].bank = HashAlgorithm::sha1;
  EXPECT_EQ(refused(sha1, two_pcrs), TpmError::bad_pcr_selection);
  auto beyond = valid();
  beyond.selections[0].pcrs = {4, 24};
  EXPECT_EQ(refused(beyond, two_pcrs), TpmError::bad_pcr_selection);
}

TEST(InitData, is_what_pcr_8_holds_after_one_extension) {
  const Bytes digest(32, std::byte{5});
  const PcrValues pcrs{{8, extended_once(digest)}};
  EXPECT_TRUE(check_init_data(pcrs, digest));
  const auto other = check_init_data(pcrs, Bytes(32));
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().code, EvidenceError::init_data_mismatch);
  EXPECT_THAT(other.error().message, HasSubstr(codec::hex_encode(pcrs.at(8))));
  EXPECT_EQ(check_init_data(pcrs, Bytes(48)).error().code, EvidenceError::init_data_mismatch);
  EXPECT_EQ(check_init_data({}, digest).error().code, EvidenceError::init_data_mismatch);
}

TEST(InitData, extension_is_upstreams) {
  const auto digest = codec::hex_decode("8505e4e25e50a27c5dc8147af88efbece627fbea55291911eff832d9ee127781");
  EXPECT_EQ(codec::hex_encode(extended_once(*digest)),
            "bddaccb9c52249e97a31baea61b7d91be8221a16e703d92148d04fb8e9c1dfdd");
}

struct Signer {
  crypto::PrivateKey key;
  Signature over(ByteView message) const {
    const auto raw = *key.sign(crypto::default_algorithm(key.kind()), message);
    if (key.kind() == crypto::KeyKind::rsa) return {SignatureScheme::rsa_pkcs1, HashAlgorithm::sha256, raw};
    const auto hash = key.kind() == crypto::KeyKind::ec_p384 ? HashAlgorithm::sha384 : HashAlgorithm::sha256;
    const auto half = raw.begin() + static_cast<std::ptrdiff_t>(raw.size() / 2);
    return {SignatureScheme::ecdsa, hash, {}, Bytes{raw.begin(), half}, Bytes{half, raw.end()}};
  }
};

TEST(Signature, of_each_kind_of_key_verifies_and_no_other) {
  const auto message = encode_quote(valid());
  for (const auto kind : {crypto::KeyKind::rsa, crypto::KeyKind::ec_p256, crypto::KeyKind::ec_p384}) {
    const Signer signer{*crypto::PrivateKey::generate(kind)};
    const auto signature = parse_signature(encode_signature(signer.over(message)));
    ASSERT_TRUE(signature) << to_string(signature.error());
    EXPECT_TRUE(verify_signature(signer.key.public_key(), *signature, message));
    const auto other = crypto::PrivateKey::generate(kind);
    EXPECT_EQ(verify_signature(other->public_key(), *signature, message).error().code, TpmError::bad_signature);
    EXPECT_EQ(verify_signature(signer.key.public_key(), *signature, {}).error().code, TpmError::bad_signature);
  }
}

TEST(Signature, by_rsapss_verifies_as_tpms_salt_it) {
  const Signer signer{*crypto::PrivateKey::generate(crypto::KeyKind::rsa)};
  const auto raw = signer.key.sign(crypto::SignatureAlgorithm::ps256, as_bytes("message"));
  const Signature signature{SignatureScheme::rsa_pss_any_salt, HashAlgorithm::sha256, *raw};
  const auto parsed = parse_signature(encode_signature(signature));
  ASSERT_TRUE(parsed);
  EXPECT_TRUE(verify_signature(signer.key.public_key(), *parsed, as_bytes("message")));
}

TEST(Signature, of_another_kind_of_key_is_refused) {
  const Signer rsa{*crypto::PrivateKey::generate(crypto::KeyKind::rsa)};
  const Signer ec{*crypto::PrivateKey::generate(crypto::KeyKind::ec_p256)};
  const auto message = as_bytes("message");
  EXPECT_EQ(verify_signature(rsa.key.public_key(), ec.over(message), message).error().code, TpmError::bad_signature);
  EXPECT_EQ(verify_signature(ec.key.public_key(), rsa.over(message), message).error().code, TpmError::bad_signature);
}

TEST(Signature, numbers_without_leading_zeros_are_read) {
  const Signer signer{*crypto::PrivateKey::generate(crypto::KeyKind::ec_p256)};
  // One in 256 signatures has a leading zero in r; make them until one comes.
  for (int i = 0; i < 5000; ++i) {
    auto signature = signer.over(as_bytes("message"));
    if (signature.r.front() != std::byte{0}) continue;
    signature.r.erase(signature.r.begin());
    EXPECT_TRUE(verify_signature(signer.key.public_key(), signature, as_bytes("message")));
    return;
  }
  FAIL() << "no signature with a leading zero";
}

TEST(Signature, that_is_none_is_refused) {
  const auto refused = [](ByteView bytes) {
    const auto signature = parse_signature(bytes);
    EXPECT_FALSE(signature);
    return signature ? ErrorCode{TpmError::untrusted_ak} : signature.error().code;
  };
  const auto valid_bytes = encode_signature({SignatureScheme::rsa_pkcs1, HashAlgorithm::sha256, Bytes(256)});
  ASSERT_TRUE(parse_signature(valid_bytes));
  EXPECT_EQ(refused(with_byte(valid_bytes, 1, 0x15)), TpmError::unsupported_algorithm);
  EXPECT_EQ(refused(with_byte(valid_bytes, 3, 0x04)), TpmError::unsupported_algorithm);
  EXPECT_EQ(refused(with_byte(valid_bytes, 3, 0x77)), TpmError::unsupported_algorithm);
  EXPECT_EQ(refused(with_byte(valid_bytes, 4, 3)), TpmError::bad_signature_format);
  const auto accepts = [](ByteView bytes) { return parse_signature(bytes).has_value(); };
  expect_every_other_length_refused(valid_bytes, accepts);
  expect_every_other_length_refused(
      encode_signature({SignatureScheme::ecdsa, HashAlgorithm::sha256, {}, Bytes(32), Bytes(31)}), accepts);
}

TEST(QuoteVectors, a_recorded_message_is_read) {
  COFFER_REQUIRE_VECTORS();
  const auto quote = parse_quote(coffer::testing::read_vector_bytes("tpm/tpm_quote_sample.bin"));
  ASSERT_TRUE(quote) << to_string(quote.error());
  EXPECT_EQ(codec::hex_encode(quote->extra_data), "12345678");
  EXPECT_EQ(quote->selections, (std::vector<PcrSelection>{{HashAlgorithm::sha256, {0, 1, 2}}}));
  EXPECT_EQ(codec::hex_encode(quote->pcr_digest), "d8de2be2e8a319cddf3d1ce1a310f45e30fd335255278e4fcbd59a5f58887648");
}

TEST(Describe, names_every_field) {
  const auto text = codec::json::serialize(describe(valid()));
  for (const auto name : {"qualified_signer", "extra_data", "clock", "reset_count", "restart_count", "safe",
                          "firmware_version", "pcr_selections", "pcr_digest"}) {
    EXPECT_THAT(text, HasSubstr(name));
  }
  EXPECT_THAT(codec::json::serialize(describe(Signature{SignatureScheme::rsa_pkcs1, HashAlgorithm::sha256, Bytes(1)})),
              HasSubstr("RSASSA"));
  EXPECT_THAT(codec::json::serialize(describe(Signature{SignatureScheme::rsa_pss_any_salt, HashAlgorithm::sha256, {}})),
              HasSubstr("RSAPSS"));
  EXPECT_THAT(codec::json::serialize(describe(Signature{SignatureScheme::ecdsa, HashAlgorithm::sha256, {}, Bytes(1)})),
              HasSubstr("ECDSA"));
}

}  // namespace
}  // namespace coffer::evidence::tpm
