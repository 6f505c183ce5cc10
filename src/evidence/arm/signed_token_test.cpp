#include "evidence/arm/signed_token.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "evidence/arm/simulated_signer.h"

namespace coffer::evidence::arm {
namespace {

namespace cbor = codec::cbor;
using testing::HasSubstr;

const TimePoint now = *parse_rfc3339("2026-03-01T12:00:00Z");
const Bytes instance(33, std::byte{1});
const Bytes implementation(32, std::byte{2});

TokenCodes codes() {
  return {EvidenceError::malformed, EvidenceError::bad_signature, EvidenceError::bad_config};
}

class SignedTokens : public testing::Test {
 protected:
  Bytes token(cbor::Map unprotected = {}) {
    return *codec::cose::sign(as_bytes("claims"), key_, crypto::SignatureAlgorithm::es256, std::move(unprotected));
  }
  Result<TokenSigner> verify(ByteView bytes, const std::vector<TrustedKey>& keys,
                             std::span<const crypto::Certificate> roots = {}) {
    const auto parsed = parse_signed_token(bytes, codes(), "the token");
    if (!parsed) return fail(parsed.error());
    return verify_by_trusted_key(*parsed, instance, implementation, {keys, roots, TeeKind::psa, "setting"}, codes(),
                                 "the token", now);
  }
  static inline const crypto::PrivateKey key_ = *crypto::PrivateKey::generate(crypto::KeyKind::ec_p256);
  static inline const crypto::PrivateKey other_ = *crypto::PrivateKey::generate(crypto::KeyKind::ec_p256);
  static inline const SimulatorRoot root_ = *make_simulator_root(now);
};

TEST_F(SignedTokens, the_trusted_key_that_signed_is_found_among_others) {
  const auto signer = verify(token(), {{instance, {}, other_.public_key()}, {instance, {}, key_.public_key()}});
  ASSERT_TRUE(signer) << to_string(signer.error());
  EXPECT_TRUE(signer->key == key_.public_key());
  EXPECT_FALSE(signer->by_any_instance);
  EXPECT_TRUE(verify(token(), {{{}, {}, key_.public_key()}})->by_any_instance);
}

TEST_F(SignedTokens, without_a_key_the_instance_is_named) {
  const auto signer = verify(token(), {});
  ASSERT_FALSE(signer);
  EXPECT_EQ(signer.error().code, EvidenceError::collateral_missing);
  EXPECT_THAT(signer.error().message, HasSubstr("0101"));
  EXPECT_THAT(signer.error().message, HasSubstr("setting"));
}

TEST_F(SignedTokens, another_key_does_not_verify) {
  EXPECT_EQ(verify(token(), {{{}, {}, other_.public_key()}}).error().code, EvidenceError::bad_signature);
}

TEST_F(SignedTokens, what_is_no_such_token_is_malformed) {
  EXPECT_EQ(verify(as_bytes("text"), {}).error().code, EvidenceError::malformed);
  EXPECT_EQ(verify(token({{99, "label"}}), {}).error().code, EvidenceError::malformed);
  EXPECT_EQ(verify(token({{33, cbor::Array{}}}), {}).error().code, EvidenceError::malformed);
  EXPECT_EQ(verify(token({{33, "text"}}), {}).error().code, EvidenceError::malformed);
  EXPECT_EQ(verify(token({{33, cbor::Array(5, cbor::Value{Bytes(1)})}}), {}).error().code, EvidenceError::malformed);
  const auto detached =
      cbor::encode(cbor::Array{cbor::encode(cbor::Map{{1, -7}}), cbor::Map{}, cbor::Value{}, Bytes(64)});
  EXPECT_EQ(verify(detached, {}).error().code, EvidenceError::malformed);
  EXPECT_TRUE(verify(token({{4, to_bytes("kid")}}), {{{}, {}, key_.public_key()}})) << "a key id is passed over";
}

TEST_F(SignedTokens, a_chain_to_the_simulators_root_is_taken_where_that_was_chosen) {
  const auto signer = *make_simulated_signer(root_, crypto::KeyKind::ec_p256, false, now);
  const auto made =
      *codec::cose::sign(as_bytes("claims"), signer.key, crypto::SignatureAlgorithm::es256, signer.unprotected);
  const auto found = verify(made, {}, {&root_.certificate, 1});
  ASSERT_TRUE(found) << to_string(found.error());
  EXPECT_THAT(found->simulated_root.value_or(""), HasSubstr("NOT SECURE"));
  const auto refused = verify(made, {});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, EvidenceError::simulated_refused);
  EXPECT_THAT(refused.error().message, HasSubstr("simulated:psa"));
}

TEST_F(SignedTokens, a_chain_that_ends_elsewhere_or_does_not_hold_is_untrusted) {
  const auto signed_by = [&](const SimulatedSigner& signer) {
    return *codec::cose::sign(as_bytes("claims"), signer.key, crypto::SignatureAlgorithm::es256, signer.unprotected);
  };
  const auto foreign = *make_simulated_signer(*make_foreign_root(now), crypto::KeyKind::ec_p256, false, now);
  EXPECT_EQ(verify(signed_by(foreign), {}, {&root_.certificate, 1}).error().code, EvidenceError::bad_config);
  const auto expired = *make_simulated_signer(root_, crypto::KeyKind::ec_p256, true, now);
  EXPECT_EQ(verify(signed_by(expired), {}, {&root_.certificate, 1}).error().code, EvidenceError::bad_config);
  auto swapped = *make_simulated_signer(root_, crypto::KeyKind::ec_p256, false, now);
  swapped.key = key_;
  EXPECT_EQ(verify(signed_by(swapped), {}, {&root_.certificate, 1}).error().code, EvidenceError::bad_signature);
  EXPECT_EQ(verify(token({{33, Bytes(3)}}), {}, {&root_.certificate, 1}).error().code, EvidenceError::bad_config);
}

}  // namespace
}  // namespace coffer::evidence::arm
