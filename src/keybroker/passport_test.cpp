// Seed 000's option B: an issuer that attests, and a resource broker that trusts the issuer's tokens by certificate.
#include <stdlib.h>

#include <filesystem>
#include <fstream>

#include "appraisal/builtin_service.h"
#include "appraisal/grpc/client.h"
#include "appraisal/grpc/server.h"
#include "keybroker/broker_testing.h"

namespace coffer::keybroker::testing {
namespace {

constexpr std::string_view path = "default/key/k1";

class Passport : public ::testing::Test {
 protected:
  Passport() {
    std::string name = "/tmp/coffer-passport-XXXXXX";
    directory = ::mkdtemp(name.data());
  }
  ~Passport() override { std::filesystem::remove_all(directory); }

  static std::string certificates(TestBroker& issuer) {
    return *json_of(issuer.get("/kbs/v0/info")).find("token_certificates")->if_string();
  }
  Config trusting(std::string_view pem) {
    const auto file = directory / "issuer.pem";
    std::ofstream{file} << pem;
    Config config;
    config.admin.mode = AdminMode::insecure_allow_all;
    config.token_trust.trusted_certs_paths = {file};
    config.coffer.default_policy = DefaultPolicy::allow_all;
    return config;
  }
  std::filesystem::path write_key(const crypto::PrivateKey& key) {
    const auto file = directory / "signer.key";
    std::ofstream{file} << as_text(key.to_pem_pkcs8().expose());
    return file;
  }
  std::filesystem::path directory;
};

TEST_F(Passport, a_resource_broker_releases_for_a_token_of_the_issuer_it_trusts) {
  TestBroker issuer;
  TestBroker broker{trusting(certificates(issuer))};
  EXPECT_EQ(broker.broker->mode(), Mode::passport);
  EXPECT_EQ(*json_of(broker.get("/kbs/v0/info")).find("mode")->if_string(), "passport");
  broker.store_resource(path, "secret");
  TestGuest guest{issuer, crypto::KeyKind::rsa};
  guest.handshake();
  const auto response = guest.get_by_token(broker, path);
  ASSERT_EQ(response.status, 200) << text_of(response);
  EXPECT_EQ(guest.open(response), "secret");
}

TEST_F(Passport, attestation_is_not_found_at_the_resource_broker) {
  TestBroker issuer;
  TestBroker broker{trusting(certificates(issuer))};
  EXPECT_EQ(refusal(broker.post("/kbs/v0/auth", "{}")), "404 broker.no_attestation_service PluginNotFound");
  EXPECT_EQ(refusal(broker.post("/kbs/v0/attestation-policy", "{}")),
            "404 broker.no_attestation_service PluginNotFound");
  EXPECT_EQ(refusal(broker.get("/kbs/v0/reference-value/x")), "404 broker.no_attestation_service PluginNotFound");
  EXPECT_EQ(refusal(broker.get("/kbs/v0/resource/default/key/k1")), "401 broker.token_missing TokenNotFound");
}

TEST_F(Passport, a_token_of_another_issuer_is_refused) {
  TestBroker issuer;
  TestBroker stranger;
  TestBroker broker{trusting(certificates(issuer))};
  TestGuest guest{stranger};
  guest.handshake();
  EXPECT_EQ(refusal(guest.get_by_token(broker, path)), "401 broker.token_rejected TokenVerifierError");
}

TEST_F(Passport, a_skewed_clock_is_forgiven_for_a_minute) {
  TestBroker issuer;
  TestBroker broker{trusting(certificates(issuer))};
  broker.store_resource(path, "secret");
  TestGuest guest{issuer};
  guest.handshake();
  broker.clock.advance(-std::chrono::seconds{59});
  EXPECT_EQ(guest.get_by_token(broker, path).status, 200);
  broker.clock.advance(std::chrono::seconds{59} + std::chrono::minutes{6} + std::chrono::seconds{1});
  EXPECT_EQ(refusal(guest.get_by_token(broker, path)), "401 broker.token_rejected TokenVerifierError");
}

TEST_F(Passport, a_denial_names_the_claims_that_the_issuer_did_not_affirm) {
  TestBroker issuer;
  auto config = trusting(certificates(issuer));
  config.coffer.default_policy = DefaultPolicy::affirming;
  TestBroker broker{config};
  broker.store_resource(path, "secret");
  TestGuest guest{issuer};
  guest.handshake();
  EXPECT_EQ(refusal(guest.get_by_token(broker, path)), "401 broker.policy_denied PolicyDeny");
  const auto text = codec::json::serialize(broker.audit("?last=1"));
  EXPECT_NE(text.find("submods.cpu0.ear.trustworthiness-vector.executables"), std::string::npos) << text;
}

TEST_F(Passport, a_signer_key_without_a_certificate_gets_one_that_stays) {
  auto config = playground();
  config.attestation.signer.key_path = write_key(*crypto::PrivateKey::generate(crypto::KeyKind::ec_p256));
  auto store = std::shared_ptr<storage::KeyValueStore>{storage::make_memory_store()};
  TestBroker issuer{config, store};
  TestBroker replica{config, store};
  EXPECT_EQ(certificates(issuer), certificates(replica));
  TestBroker broker{trusting(certificates(issuer))};
  broker.store_resource(path, "secret");
  TestGuest guest{replica};
  guest.handshake();
  EXPECT_EQ(guest.get_by_token(broker, path).status, 200);
}

// A house's authority signs for many machines; none of them may sign attestation tokens for that.
TEST_F(Passport, a_token_signed_by_a_sibling_of_the_signer_s_certificate_is_refused) {
  const auto not_before = start_of_test - std::chrono::hours{1};
  const auto not_after = start_of_test + std::chrono::hours{24};
  const auto authority_key = crypto::PrivateKey::generate(crypto::KeyKind::ec_p256);
  const auto authority = crypto::self_sign(
      {.common_name = "house", .not_before = not_before, .not_after = not_after, .is_ca = true}, *authority_key);
  const auto issuer_with_key_of_the_house = [&](const std::string& name) {
    const auto key = crypto::PrivateKey::generate(crypto::KeyKind::ec_p256);
    const auto certificate = crypto::issue({.common_name = name, .not_before = not_before, .not_after = not_after},
                                           key->public_key(), {*authority, *authority_key});
    auto config = playground();
    config.attestation.signer.key_path = write_key(*key);
    config.attestation.signer.cert_path = directory / "chain.pem";
    std::ofstream{directory / "chain.pem"} << certificate->to_pem() << authority->to_pem();
    return TestBroker{config};
  };
  auto broker = issuer_with_key_of_the_house("attestation");
  auto sibling = issuer_with_key_of_the_house("printer");
  broker.store_resource(path, "secret");
  TestGuest guest{broker};
  guest.handshake();
  EXPECT_EQ(guest.open(guest.get(path)), "secret");
  TestGuest stranger{sibling};
  stranger.handshake();
  EXPECT_EQ(refusal(stranger.get_by_token(broker, path)), "401 broker.token_rejected TokenVerifierError");
}

// Upstream's attestation service behind gRPC.
class RemoteService : public Passport {
 protected:
  RemoteService() {
    auto registry = evidence::Registry::create({.allow_tees = {"sample"}});
    auto service = appraisal::BuiltinAttestationService::create(
        {.store = storage::make_memory_store(),
         .registry = std::make_shared<const evidence::Registry>(*std::move(registry)),
         .clock = clock});
    server = *appraisal::grpc::Server::start("127.0.0.1:0", *service);
    config.attestation.kind = AttestationKind::grpc;
    config.attestation.as_addr = "http://127.0.0.1:" + std::to_string(server->port());
    config.admin.mode = AdminMode::insecure_allow_all;
    config.coffer.default_policy = DefaultPolicy::allow_all;
  }
  FixedClock clock{start_of_test};
  std::unique_ptr<appraisal::grpc::Server> server;
  Config config;
};

TEST_F(RemoteService, attests_and_its_tokens_are_believed_because_the_broker_received_them) {
  TestBroker broker{config};
  broker.store_resource(path, "secret");
  TestGuest guest{broker};
  guest.handshake();
  EXPECT_EQ(guest.open(guest.get(path)), "secret");
  EXPECT_EQ(guest.open(guest.get_by_token(broker, path)), "secret");
}

TEST_F(RemoteService, a_token_that_the_broker_did_not_receive_is_refused) {
  TestBroker broker{config};
  TestBroker stranger;
  TestGuest guest{stranger};
  guest.handshake();
  EXPECT_EQ(refusal(guest.get_by_token(broker, path)), "401 broker.token_rejected TokenVerifierError");
}

TEST_F(RemoteService, its_token_ends_with_its_expiry) {
  TestBroker broker{config};
  broker.store_resource(path, "secret");
  TestGuest guest{broker};
  guest.handshake();
  broker.clock.advance(std::chrono::minutes{6} + std::chrono::seconds{1});
  EXPECT_EQ(refusal(guest.get_by_token(broker, path)), "401 broker.token_rejected TokenVerifierError");
}

TEST_F(RemoteService, that_goes_away_in_mid_handshake_does_not_spend_the_nonce) {
  TestBroker broker{config};
  TestGuest guest{broker};
  ASSERT_EQ(guest.auth().status, 200);
  server->stop();
  EXPECT_EQ(refusal(guest.attest()), "401 broker.attestation_unavailable AttestationError");
  EXPECT_EQ(refusal(guest.attest()), "401 broker.attestation_unavailable AttestationError");
}

}  // namespace
}  // namespace coffer::keybroker::testing
