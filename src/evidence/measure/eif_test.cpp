#include "evidence/measure/eif.h"

#include <gtest/gtest.h>

#include "codec/cbor.h"
#include "crypto/hash.h"
#include "crypto/x509.h"
#include "evidence/measure/eif_testing.h"

namespace coffer::evidence::measure {
namespace {

namespace cbor = codec::cbor;

Bytes extended(std::string_view content) {
  return crypto::sha384(concat({Bytes(48), crypto::sha384(as_bytes(content))}));
}

void expect_refused(const Bytes& image, std::string_view text) {
  const auto result = measure_eif(image);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode{MeasureError::bad_eif});
  EXPECT_NE(result.error().message.find(text), std::string::npos) << result.error().message;
}

void expect_refused(const EifBuilder& builder, std::string_view text) {
  expect_refused(builder.build(), text);
}

EifBuilder with(std::uint16_t type, const Bytes& content) {
  EifBuilder builder;
  builder.sections.emplace_back(type, content);
  return builder;
}

TEST(Eif, registers_are_hashes_of_their_parts_extended_into_zeros) {
  const auto result = measure_eif(EifBuilder{}.build());
  ASSERT_TRUE(result) << to_string(result.error());
  EXPECT_EQ(result->pcr0, extended("kernelquietboot ramdiskapplication"));
  EXPECT_EQ(result->pcr1, extended("kernelquietboot ramdisk"));
  EXPECT_EQ(result->pcr2, extended("application"));
  EXPECT_FALSE(result->pcr8);
}

TEST(Eif, metadata_is_not_measured) {
  EifBuilder builder;
  builder.sections[2].second = to_bytes("other");
  EXPECT_EQ(measure_eif(builder.build())->pcr0, measure_eif(EifBuilder{}.build())->pcr0);
}

// The certificate as the image builder writes it: PEM as an array of integers, and as a byte string.
TEST(Eif, the_signer_is_its_certificate) {
  const auto key = crypto::PrivateKey::generate(crypto::KeyKind::ec_p384);
  ASSERT_TRUE(key);
  const auto now = from_unix_seconds(1'700'000'000);
  const auto certificate =
      crypto::self_sign({.common_name = "signer", .not_before = now, .not_after = now + std::chrono::hours{1}}, *key);
  ASSERT_TRUE(certificate) << to_string(certificate.error());
  cbor::Array integers;
  for (const char c : certificate->to_pem()) integers.emplace_back(static_cast<std::uint8_t>(c));
  for (const auto& pem : {cbor::Value(integers), cbor::Value(to_bytes(certificate->to_pem()))}) {
    const auto section = cbor::encode(cbor::Array{cbor::Map{{"signing_certificate", pem}, {"signature", Bytes(4)}}});
    const auto result = measure_eif(with(4, section).build());
    ASSERT_TRUE(result) << to_string(result.error());
    EXPECT_EQ(result->pcr8, crypto::sha384(concat({Bytes(48), crypto::sha384(certificate->der())})));
    EXPECT_EQ(result->pcr0, measure_eif(EifBuilder{}.build())->pcr0);
  }
}

TEST(Eif, signatures_without_a_certificate_are_refused) {
  expect_refused(with(4, to_bytes("\xff")), "signature section");
  expect_refused(with(4, cbor::encode(cbor::Array{})), "no signing certificate");
  const auto one = [](cbor::Value pem) {
    return cbor::encode(cbor::Array{cbor::Map{{"signing_certificate", std::move(pem)}}});
  };
  expect_refused(with(4, one("text")), "no bytes");
  expect_refused(with(4, one(cbor::Array{300})), "no bytes");
  expect_refused(with(4, one(to_bytes("none"))), "signing certificate");
}

TEST(Eif, what_is_no_image_is_refused) {
  expect_refused(Bytes{}, ".eif");
  expect_refused(Bytes(600), ".eif");
  expect_refused(EifBuilder{.version = 2}, "version 3 or 4");
  expect_refused(with(9, {}), "unknown type 9");
}

TEST(Eif, an_image_needs_its_parts_once) {
  expect_refused(with(1, to_bytes("second kernel")), "one kernel");
  EifBuilder none;
  none.sections.resize(3);
  expect_refused(none, "ramdisks");
}

TEST(Eif, damage_is_noticed) {
  expect_refused(EifBuilder{.right_checksum = false}, "damaged");
  auto image = EifBuilder{}.build();
  image.back() ^= std::byte{1};
  expect_refused(image, "damaged");
}

TEST(Eif, lengths_that_contradict_the_image_are_refused) {
  auto image = EifBuilder{}.build();
  image[28 + 7] = std::byte{0xff};  // the first section's offset
  expect_refused(image, "section");
  image = EifBuilder{}.build();
  image[28 + 256 + 6] = std::byte{0xff};  // its size
  expect_refused(image, "the header says");
  image = EifBuilder{}.build();
  image[26] = std::byte{0xff};  // number of sections
  expect_refused(image, "at most 32");
}

TEST(Eif, a_cut_image_is_refused_at_every_length) {
  const auto image = EifBuilder{}.build();
  for (std::size_t size = 0; size < image.size(); ++size) {
    EXPECT_FALSE(measure_eif({image.begin(), image.begin() + static_cast<std::ptrdiff_t>(size)})) << size;
  }
}

TEST(Eif, each_changed_byte_is_refused) {
  const auto image = EifBuilder{}.build();
  for (std::size_t i = 0; i < image.size(); ++i) {
    auto copy = image;
    copy[i] ^= std::byte{1};
    EXPECT_FALSE(measure_eif(copy)) << i;
  }
}

}  // namespace
}  // namespace coffer::evidence::measure
