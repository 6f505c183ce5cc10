#include "fleet/aggregator/intake.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fleet/attested_key.h"
#include "fleet/trust/token_issuer_testing.h"

namespace coffer::fleet::aggregator {
namespace {

using codec::json::Object;
using crypto::KeyKind;
using crypto::PrivateKey;
using evidence::TeeKind;
using ::testing::HasSubstr;

const auto now = from_unix_seconds(1'800'000'000);
const std::string nonce = "q83vASNFZ4mrze8BI0VniQ";

// The broker as the aggregator sees it: gives the token that the test has put there.
class FakeTokens final : public keyclient::TokenSource {
 public:
  Result<std::shared_ptr<const keyclient::AttestedToken>> token() override {
    if (current) return current;
    return fail(keyclient::KeyClientError::unreachable, "nobody listens");
  }
  void forget(const keyclient::AttestedToken& /*rejected*/) override {}
  void renew(TimePoint expires) {
    current = std::make_shared<const keyclient::AttestedToken>(
        keyclient::AttestedToken{.token = "token-" + std::to_string(++count),
                                 .tee_key = std::make_shared<const PrivateKey>(*PrivateKey::generate(KeyKind::ec_p256)),
                                 .expires = expires,
                                 .tee = "snp"});
  }
  std::shared_ptr<const keyclient::AttestedToken> current;
  int count = 0;
};

class IntakeTest : public ::testing::Test {
 protected:
  IntakeTest() {
    tokens->renew(now + std::chrono::minutes{5});
    EXPECT_TRUE(prover.attest());
  }
  FixedClock clock{now};
  std::shared_ptr<FakeTokens> tokens = std::make_shared<FakeTokens>();
  Prover prover{tokens, clock};
  TokenIssuer broker{now};
  PrivateKey worker_key = *PrivateKey::generate(KeyKind::ec_p256);
  std::vector<appraisal::Submodule> submodules{submodule("cpu0", TeeKind::snp, 2)};
  RoundUpdate update{.task_id = "t1", .round_id = "r1", .proplet_id = "w1", .num_samples = 8, .content = Bytes(8)};

  IntakeOptions trusting() const {
    TokenTrustOptions trust;
    trust.tokens.trusted_certificates = {broker.anchor()};
    return {.workers = *TokenTrust::create(trust)};
  }
  SignedUpdate content() const {
    SignedUpdate out{.document = codec::json::serialize(write_round_update(update)),
                     .token = broker.token(worker_key, submodules)};
    out.signature =
        *sign_update(out.document, {.proplet_id = update.proplet_id, .round_id = update.round_id}, now, worker_key);
    return out;
  }
  std::string sealed(const SignedUpdate& inside) const {
    const SealedUpdate outside{.task_id = "t1", .round_id = "r1", .proplet_id = "w1"};
    return codec::json::serialize(
        write_sealed_update(*seal_update(outside, inside, {.key = tokens->current->tee_key->public_key()})));
  }
  Result<ReceivedUpdate> read(const std::string& body, IntakeOptions options) {
    return Intake{std::move(options), &prover, clock}.read(body);
  }
  void expect_refused(const std::string& body, ErrorCode code, std::string_view says) {
    const auto refused = read(body, trusting());
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, code) << to_string(refused.error());
    EXPECT_THAT(refused.error().message, HasSubstr(std::string{says}));
  }
};

TEST_F(IntakeTest, a_sealed_update_of_an_attested_worker_is_taken) {
  const auto body = sealed(content());
  const auto received = read(body, trusting());
  ASSERT_TRUE(received) << to_string(received.error());
  EXPECT_EQ(received->update, update);
  EXPECT_EQ(received->signer, codec::jose::thumbprint(worker_key.public_key()));
  EXPECT_EQ(received->digest, digest_of(*read_sealed_update(*parse_update_object(body))));
}

TEST_F(IntakeTest, an_update_that_is_not_signed_counts_only_where_that_is_allowed) {
  auto unsigned_one = content();
  unsigned_one.token.clear();
  unsigned_one.signature.clear();
  expect_refused(sealed(unsigned_one), AggregatorError::unsigned_update, "w1");
  const auto received = read(sealed(unsigned_one), {});
  ASSERT_TRUE(received) << to_string(received.error());
  EXPECT_EQ(received->signer, "");
}

TEST_F(IntakeTest, a_worker_that_lies_is_refused) {
  auto changed = content();
  changed.document.replace(changed.document.find("\"num_samples\":8"), 15, "\"num_samples\":9");
  expect_refused(sealed(changed), FleetError::bad_proof, "update_digest");
  auto others = content();
  others.signature = *sign_update(others.document, {.proplet_id = "w1", .round_id = "r1"}, now,
                                  *PrivateKey::generate(KeyKind::ec_p256));
  expect_refused(sealed(others), FleetError::bad_proof, "attested key");
  submodules = {submodule("cpu0", TeeKind::snp, 97)};
  expect_refused(sealed(content()), FleetError::not_affirming, "contraindicated");
  submodules = {submodule("cpu0", TeeKind::sample, 2)};
  expect_refused(sealed(content()), FleetError::untrusted_tee, "sample");
  const auto forged = TokenIssuer{now};
  auto foreign = content();
  foreign.token = forged.token(worker_key, submodules);
  expect_refused(sealed(foreign), FleetError::not_attested, "worker w1");
}

TEST_F(IntakeTest, what_is_inside_is_what_it_says_outside) {
  update.round_id = "r2";
  expect_refused(sealed(content()), AggregatorError::wrong_round, "another round");
  update.round_id = "r1";
  update.proplet_id = "w2";
  expect_refused(sealed(content()), AggregatorError::wrong_round, "another round");
}

TEST_F(IntakeTest, a_seal_opens_while_its_key_is_held) {
  const auto body = sealed(content());
  tokens->renew(now + std::chrono::minutes{10});
  ASSERT_TRUE(prover.attest());
  EXPECT_TRUE(read(body, {}));
  clock.advance(std::chrono::minutes{16});
  tokens->renew(now + std::chrono::minutes{21});
  ASSERT_TRUE(prover.attest());
  expect_refused(body, AggregatorError::unknown_key, "GET /attestation");
}

TEST_F(IntakeTest, a_seal_that_does_not_open_is_refused) {
  auto object = *parse_update_object(sealed(content()));
  auto& seal = *object.find("update_sealed")->if_object();
  auto jwe = *seal.find("jwe")->if_string();
  const auto place = jwe.find("\"tag\":\"") + 8;
  jwe[place] = jwe[place] == 'A' ? 'B' : 'A';
  seal.set("jwe", jwe);
  expect_refused(codec::json::serialize(object), FleetError::bad_seal, "does not open");
}

TEST_F(IntakeTest, plain_updates_are_refused_unless_allowed_by_name) {
  const auto body = codec::json::serialize(write_round_update(update));
  expect_refused(body, AggregatorError::plain_update, "--accept-plain-updates");
  const auto received = read(body, {.accept_plain = true});
  ASSERT_TRUE(received) << to_string(received.error());
  EXPECT_EQ(received->update, update);
  EXPECT_EQ(received->digest, digest_of_text(body));
  for (const auto* empty :
       {"{}", R"({"round_id":"r1","proplet_id":"w1"})", R"({"round_id":"r1","update_b64":"AA=="})"}) {
    const auto refused = read(empty, {.accept_plain = true});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode{AggregatorError::bad_request});
  }
}

TEST_F(IntakeTest, outside_of_a_tee_there_is_no_key) {
  const auto refused = Intake{{.accept_plain = true}, nullptr, clock}.read(sealed(content()));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode{AggregatorError::unknown_key});
}

TEST_F(IntakeTest, the_prover_signs_challenges_and_rounds_by_the_key_of_its_token) {
  const auto shown = prover.prove(nonce);
  ASSERT_TRUE(shown) << to_string(shown.error());
  const auto key = tokens->current->tee_key->public_key();
  EXPECT_EQ(shown->token, "token-1");
  EXPECT_TRUE(check_aggregator(shown->proof, nonce, key));
  EXPECT_EQ(prover.prove("short").error().code, ErrorCode{FleetError::bad_member});
  const auto round =
      prover.sign({.round_id = "r1", .base_digest = "sha256:a", .model_digest = "sha256:b", .made = now});
  ASSERT_TRUE(round) << to_string(round.error());
  EXPECT_EQ(read_round_statement(round->statement, key)->token_digest, digest_of_text("token-1"));
}

TEST_F(IntakeTest, a_prover_without_a_broker_proves_nothing) {
  tokens->current.reset();
  const auto shown = prover.prove(nonce);
  ASSERT_FALSE(shown);
  EXPECT_EQ(shown.error().code, ErrorCode{AggregatorError::not_attested});
  EXPECT_THAT(shown.error().message, HasSubstr("keyclient.unreachable"));
}

}  // namespace
}  // namespace coffer::fleet::aggregator
