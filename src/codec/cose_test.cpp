#include "codec/cose.h"

#include <gtest/gtest.h>

#include <array>
#include <filesystem>

#include "codec/base64.h"
#include "codec/jose/jwk.h"
#include "testing/vector_tally.h"
#include "testing/vectors.h"

namespace coffer::codec::cose {
namespace {

using crypto::KeyKind;
using crypto::SignatureAlgorithm;

constexpr std::array ecdsa{SignatureAlgorithm::es256, SignatureAlgorithm::es384, SignatureAlgorithm::es512};

const crypto::PrivateKey& key() {
  static const auto key = crypto::PrivateKey::generate(KeyKind::ec_p256).value();
  return key;
}

// The four elements of a valid message, to be spoilt one at a time.
struct MessageBuilder {
  cbor::Map protected_header{{1, -7}};
  cbor::Map unprotected{{4, to_bytes("11")}};
  Bytes payload = to_bytes("This is the content.");
  bool detached = false;

  Bytes build() const {
    const auto header = cbor::encode(protected_header);
    const auto to_sign = cbor::encode(cbor::Array{"Signature1", header, Bytes{}, payload});
    const auto signature = key().sign(SignatureAlgorithm::es256, to_sign).value();
    const cbor::Value content = detached ? cbor::Value{} : cbor::Value{payload};
    return cbor::encode(cbor::Value::tagged(18, cbor::Array{header, unprotected, content, signature}));
  }
};

Result<> parse_and_verify(ByteView data, std::optional<ByteView> payload = std::nullopt,
                          std::span<const SignatureAlgorithm> allowed = ecdsa) {
  const auto message = TRY(Sign1::parse(data));
  return verify(message, key().public_key(), allowed, {}, payload);
}

void expect_code(const Result<>& result, CoseError code) {
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, code) << to_string(result.error());
}

void expect_malformed(const cbor::Value& message) {
  const auto parsed = Sign1::parse(cbor::encode(message));
  ASSERT_FALSE(parsed);
  EXPECT_EQ(parsed.error().code, CoseError::malformed) << parsed.error().message;
}

TEST(cose, a_valid_message_verifies_and_shows_its_parts) {
  const auto message = Sign1::parse(MessageBuilder{}.build()).value();
  EXPECT_EQ(as_text(message.payload), "This is the content.");
  EXPECT_EQ(message.algorithm, SignatureAlgorithm::es256);
  EXPECT_EQ(*message.unprotected_header.find(4)->if_bytes(), to_bytes("11"));
  EXPECT_FALSE(message.detached);
  EXPECT_TRUE(verify(message, key().public_key(), ecdsa));
}

TEST(cose, what_sign_makes_verifies_with_every_kind_of_key) {
  const std::array kinds{KeyKind::ec_p256, KeyKind::ec_p384, KeyKind::ec_p521, KeyKind::ed25519, KeyKind::rsa};
  for (const auto kind : kinds) {
    const auto private_key = crypto::PrivateKey::generate(kind).value();
    const auto algorithm = crypto::default_algorithm(kind);
    const auto data =
        sign(as_bytes("payload"), private_key, algorithm, {{4, to_bytes("kid")}}, as_bytes("aad")).value();
    const auto message = Sign1::parse(data).value();
    EXPECT_EQ(message.algorithm, algorithm);
    const std::array allowed{algorithm};
    EXPECT_TRUE(verify(message, private_key.public_key(), allowed, as_bytes("aad")));
    expect_code(verify(message, private_key.public_key(), allowed, as_bytes("other")), CoseError::bad_signature);
  }
}

TEST(cose, rsa_pss_identifiers_are_known) {
  const auto private_key = crypto::PrivateKey::generate(KeyKind::rsa).value();
  for (const auto algorithm : {SignatureAlgorithm::ps256, SignatureAlgorithm::ps384, SignatureAlgorithm::ps512,
                               SignatureAlgorithm::rs384, SignatureAlgorithm::rs512}) {
    const auto message = Sign1::parse(sign(as_bytes("x"), private_key, algorithm).value()).value();
    const std::array allowed{algorithm};
    EXPECT_TRUE(verify(message, private_key.public_key(), allowed));
  }
}

TEST(cose, signing_with_an_algorithm_of_another_kind_is_refused) {
  const auto data = sign(as_bytes("x"), key(), SignatureAlgorithm::es384);
  ASSERT_FALSE(data);
  EXPECT_EQ(data.error().code, CoseError::algorithm_not_allowed);
}

TEST(cose, a_changed_byte_breaks_the_signature) {
  auto message = Sign1::parse(MessageBuilder{}.build()).value();
  message.payload[0] ^= std::byte{1};
  expect_code(verify(message, key().public_key(), ecdsa), CoseError::bad_signature);
}

TEST(cose, algorithms_outside_the_list_are_refused) {
  const std::array only_es384{SignatureAlgorithm::es384};
  expect_code(parse_and_verify(MessageBuilder{}.build(), std::nullopt, only_es384), CoseError::algorithm_not_allowed);
}

TEST(cose, an_algorithm_of_another_kind_of_key_is_refused) {
  expect_code(parse_and_verify(MessageBuilder{.protected_header = {{1, -35}}}.build()),
              CoseError::algorithm_not_allowed);
}

TEST(cose, unknown_and_missing_algorithms_are_refused) {
  for (const auto& header : {cbor::Map{{1, -999}}, cbor::Map{{1, "ES256"}}, cbor::Map{}, cbor::Map{{1, 3000000000U}}}) {
    expect_code(parse_and_verify(MessageBuilder{.protected_header = header}.build()), CoseError::unsupported_algorithm);
  }
  expect_code(parse_and_verify(MessageBuilder{.protected_header = {}, .unprotected = {{1, -7}}}.build()),
              CoseError::unsupported_algorithm);
}

TEST(cose, critical_headers_that_are_not_understood_are_refused) {
  const auto with_critical = [](cbor::Value critical) {
    return MessageBuilder{.protected_header = {{1, -7}, {2, std::move(critical)}, {99, 1}}}.build();
  };
  EXPECT_TRUE(parse_and_verify(with_critical(cbor::Array{1})));
  const cbor::Map all{{1, -7}, {2, cbor::Array{1, 3, 4}}, {3, "text/plain"}, {4, to_bytes("11")}};
  EXPECT_TRUE(parse_and_verify(MessageBuilder{.protected_header = all, .unprotected = {}}.build()));
  for (const auto& critical :
       {cbor::Value{cbor::Array{99}}, cbor::Value{cbor::Array{1, "x"}}, cbor::Value{cbor::Array{}}, cbor::Value{1}}) {
    expect_code(parse_and_verify(with_critical(critical)), CoseError::critical_header);
  }
  expect_code(parse_and_verify(MessageBuilder{.unprotected = {{2, cbor::Array{1}}}}.build()),
              CoseError::critical_header);
}

// RFC 9052 section 3.1: a label of crit for which the protected header has no parameter is a fatal error.
TEST(cose, critical_labels_stand_in_the_protected_header) {
  for (const auto label : {3, 4}) {  // 4 stands in the unprotected header alone
    const cbor::Map header{{1, -7}, {2, cbor::Array{1, label}}};
    expect_code(parse_and_verify(MessageBuilder{.protected_header = header}.build()), CoseError::critical_header);
  }
}

TEST(cose, detached_payloads_are_given_by_the_caller) {
  const auto data = MessageBuilder{.detached = true}.build();
  EXPECT_TRUE(parse_and_verify(data, as_bytes("This is the content.")));
  expect_code(parse_and_verify(data, as_bytes("This is no content.")), CoseError::bad_signature);
  expect_code(parse_and_verify(data), CoseError::malformed);
  expect_code(parse_and_verify(MessageBuilder{}.build(), as_bytes("This is the content.")), CoseError::malformed);
}

TEST(cose, the_signature_covers_the_header_bytes_as_received) {
  // {1: -7} with the label in two bytes: allowed CBOR, and another byte string than an encoder would make.
  const auto header = hex_decode("a1180126").value();
  const auto payload = to_bytes("x");
  const auto to_sign = cbor::encode(cbor::Array{"Signature1", header, Bytes{}, payload});
  const auto signature = key().sign(SignatureAlgorithm::es256, to_sign).value();
  EXPECT_TRUE(parse_and_verify(cbor::encode(cbor::Array{header, cbor::Map{}, payload, signature})));
}

TEST(cose, other_shapes_are_malformed) {
  const auto header = cbor::encode(cbor::Map{{1, -7}});
  const cbor::Map none;
  const Bytes bytes(64);
  expect_malformed(cbor::Value::tagged(98, cbor::Array{header, none, bytes, bytes}));
  expect_malformed(cbor::Value::tagged(18, cbor::Value::tagged(18, cbor::Array{header, none, bytes, bytes})));
  expect_malformed(cbor::Array{header, none, bytes});
  expect_malformed(cbor::Array{header, none, bytes, bytes, bytes});
  expect_malformed(cbor::Map{{1, 2}});
  expect_malformed(cbor::Array{"text", none, bytes, bytes});
  expect_malformed(cbor::Array{to_bytes("\xff"), none, bytes, bytes});
  expect_malformed(cbor::Array{cbor::encode(1), none, bytes, bytes});
  expect_malformed(cbor::Array{header, 1, bytes, bytes});
  expect_malformed(cbor::Array{header, none, "text", bytes});
  expect_malformed(cbor::Array{header, none, bytes, cbor::Value{}});
  EXPECT_EQ(Sign1::parse(Bytes{}).error().code, CoseError::malformed);
}

TEST(cose, a_label_in_both_headers_is_malformed) {
  const auto header = cbor::encode(cbor::Map{{1, -7}});
  expect_malformed(cbor::Array{header, cbor::Map{{1, -7}}, Bytes{}, Bytes(64)});
}

// Published examples, which name their key as a JWK.
struct Example {
  std::string name;
  json::Value content;

  Bytes data() const { return hex_decode(*content.at_pointer("/output/cbor")->if_string()).value(); }
  Bytes external_aad() const {
    const auto* external = content.at_pointer("/input/sign0/external");
    return external == nullptr ? Bytes{} : hex_decode(*external->if_string()).value();
  }
  crypto::PublicKey public_key() const { return jose::parse_jwk(*content.at_pointer("/input/sign0/key")).value().key; }
  Result<> check() const { return verify(TRY(Sign1::parse(data())), public_key(), ecdsa, external_aad()); }
};

std::vector<Example> examples(const std::string& folder) {
  std::vector<Example> out;
  for (const auto& entry : std::filesystem::directory_iterator(*testing::vectors_directory() / folder)) {
    const auto name = folder + "/" + entry.path().filename().string();
    out.push_back({entry.path().stem().string(), json::parse(testing::read_vector(name)).value()});
  }
  return out;
}

TEST(cose, published_ecdsa_examples_verify) {
  COFFER_REQUIRE_VECTORS();
  testing::VectorTally tally("cose/ecdsa-examples");
  for (const auto& example : examples("cose/ecdsa-examples")) {
    if (example.name == "ecdsa-sig-04") {
      // ES512 with a P-256 key: RFC 9053 section 2.1 allows it, and JOSE and every peer of ours bind the curve.
      expect_code(example.check(), CoseError::algorithm_not_allowed);
    } else {
      const auto result = example.check();
      EXPECT_TRUE(result) << example.name << ": " << to_string(result.error());
    }
    tally.ran();
  }
}

TEST(cose, published_sign1_examples_pass_or_fail_as_they_should) {
  COFFER_REQUIRE_VECTORS();
  testing::VectorTally tally("cose/sign1-tests");
  for (const auto& example : examples("cose/sign1-tests")) {
    // The algorithm stands unprotected there, which a receiver may refuse, and this one does.
    const bool unprotected_algorithm = example.name == "sign-pass-01";
    const bool passes = example.content.find("fail") == nullptr && !unprotected_algorithm;
    EXPECT_EQ(example.check().has_value(), passes) << example.name;
    if (unprotected_algorithm) expect_code(example.check(), CoseError::unsupported_algorithm);
    tally.ran();
  }
}

}  // namespace
}  // namespace coffer::codec::cose
