#include <algorithm>

#include "appraisal/attestation_service.h"
#include "codec/base64.h"
#include "evidence/collateral.h"
#include "keybroker/broker_testing.h"

namespace coffer::keybroker::testing {
namespace {

Value& member(Object& object, std::string_view outer, std::string_view inner) {
  return *object.find(outer)->if_object()->find(inner);
}

TEST(Handshake, gives_a_challenge_with_a_nonce_of_32_bytes_and_an_empty_text_as_extra_params) {
  TestBroker broker;
  TestGuest guest{broker};
  const auto response = guest.auth();
  ASSERT_EQ(response.status, 200);
  EXPECT_EQ(guest.nonce.size(), 44U);
  EXPECT_EQ(text_of(response), "{\"nonce\":\"" + guest.nonce + "\",\"extra-params\":\"\"}");
}

TEST(Handshake, sets_the_session_cookie_with_expiry_and_path) {
  TestBroker broker;
  TestGuest guest{broker};
  const auto response = guest.auth();
  const std::string cookie{response.headers.get("Set-Cookie").value_or("")};
  EXPECT_EQ(session_of(guest.cookie).size(), 32U);
  EXPECT_EQ(cookie, guest.cookie + "; Expires=Fri, 02 Jan 2026 03:09:05 GMT; Max-Age=300; Path=/kbs/v0; HttpOnly");
}

TEST(Handshake, answers_valid_evidence_with_a_token_and_the_same_cookie) {
  TestBroker broker;
  TestGuest guest{broker};
  guest.auth();
  const auto session = guest.cookie;
  const auto response = guest.attest();
  ASSERT_EQ(response.status, 200) << text_of(response);
  EXPECT_EQ(std::count(guest.token.begin(), guest.token.end(), '.'), 2);
  EXPECT_TRUE(response.headers.get("Set-Cookie")->starts_with(session + ";"));
}

TEST(Handshake, a_builtin_endpoint_takes_any_path_behind_its_name) {
  TestBroker broker;
  const auto body = R"({"version":"0.4.0","tee":"sample","extra-params":""})";
  EXPECT_EQ(broker.post("/kbs/v0/auth/anything", body).status, 200);
  EXPECT_EQ(broker.post("//kbs//v0//auth", body).status, 200);
}

TEST(Handshake, refuses_another_protocol_version_in_the_words_that_clients_search_for) {
  TestBroker broker;
  TestGuest guest{broker};
  const auto response = guest.auth("sample", "0.2.0");
  EXPECT_EQ(refusal(response), "401 broker.version_mismatch AttestationError");
  EXPECT_EQ(detail_of(response),
            "Attestation error: RCAR handshake Auth failed: KBS Client Protocol Version Mismatch: expect =0.4.0 while "
            "the request is 0.2.0");
}

TEST(Handshake, ignores_build_metadata_of_the_version) {
  TestBroker broker;
  TestGuest guest{broker};
  EXPECT_EQ(guest.auth("sample", "0.4.0+abc").status, 200);
  EXPECT_EQ(guest.auth("sample", "0.4.0-rc1").status, 401);
}

TEST(Handshake, refuses_an_unknown_tee) {
  TestBroker broker;
  TestGuest guest{broker};
  EXPECT_EQ(refusal(guest.auth("toaster")), "401 broker.unknown_tee AttestationError");
}

TEST(Handshake, refuses_a_known_tee_that_this_build_cannot_verify) {
  TestBroker broker;
  TestGuest guest{broker};
  EXPECT_EQ(refusal(guest.auth("hygondcu")), "401 broker.tee_not_supported AttestationError");
}

TEST(Handshake, refuses_sample_evidence_that_was_not_let_in_and_names_the_two_flags) {
  auto config = playground();
  config.coffer.allow_tees.clear();
  TestBroker broker{config};
  TestGuest guest{broker};
  const auto response = guest.auth();
  EXPECT_EQ(refusal(response), "401 broker.tee_not_allowed AttestationError");
  EXPECT_NE(detail_of(response).find("--allow-tee sample"), std::string::npos);
  EXPECT_NE(detail_of(response).find("--default-policy allow_all"), std::string::npos);
}

TEST(Handshake, refuses_a_request_that_is_truncated_or_lacks_a_member) {
  TestBroker broker;
  for (const auto* body : {"", "{", R"({"version":"0.4.0","tee":"sample")", R"({"version":"0.4.0"})", "[]",
                           R"({"version":4,"tee":"sample","extra-params":""})"}) {
    EXPECT_EQ(refusal(broker.post("/kbs/v0/auth", body)), "401 broker.handshake_malformed AttestationError") << body;
  }
}

TEST(Handshake, refuses_a_body_over_the_limit) {
  auto config = playground();
  config.http.max_body_size = 100;
  TestBroker broker{config};
  EXPECT_EQ(refusal(broker.post("/kbs/v0/auth", std::string(101, ' '))), "413 broker.body_too_large SerdeError");
}

// It would be stored for as long as the session lives, and anyone may open sessions.
TEST(Handshake, refuses_a_request_that_is_far_larger_than_any_client_sends) {
  TestBroker broker;
  const auto body = R"({"version":"0.4.0","tee":"sample","extra-params":")" + std::string(10'000, 'x') + "\"}";
  EXPECT_EQ(refusal(broker.post("/kbs/v0/auth", body)), "401 broker.handshake_malformed AttestationError");
}

TEST(Handshake, refuses_evidence_without_a_cookie) {
  TestBroker broker;
  TestGuest guest{broker};
  guest.auth();
  guest.cookie = "theme=dark";
  EXPECT_EQ(refusal(guest.attest()), "401 broker.session_missing AttestationError");
}

TEST(Handshake, refuses_a_session_that_was_never_opened) {
  TestBroker broker;
  TestGuest guest{broker};
  guest.auth();
  guest.cookie = "kbs-session-id=0123456789abcdef0123456789abcdef";
  EXPECT_EQ(refusal(guest.attest()), "401 broker.session_unknown AttestationError");
  guest.cookie = "kbs-session-id=../../etc/passwd";
  EXPECT_EQ(refusal(guest.attest()), "401 broker.session_unknown AttestationError");
}

TEST(Handshake, refuses_the_cookie_of_another_session) {
  TestBroker broker;
  TestGuest alice{broker};
  TestGuest mallory{broker};
  alice.auth();
  mallory.auth();
  mallory.cookie = alice.cookie;
  EXPECT_EQ(refusal(mallory.attest()), "401 broker.nonce_mismatch AttestationError");
}

TEST(Handshake, refuses_a_nonce_that_was_spent) {
  TestBroker broker;
  TestGuest guest{broker};
  guest.auth();
  const auto attestation = guest.attestation();
  ASSERT_EQ(guest.attest(attestation).status, 200);
  EXPECT_EQ(refusal(guest.attest(attestation)), "401 broker.nonce_mismatch AttestationError");
}

TEST(Handshake, refuses_an_expired_session) {
  TestBroker broker;
  TestGuest guest{broker};
  guest.auth();
  broker.clock.advance(std::chrono::minutes{5});
  EXPECT_EQ(refusal(guest.attest()), "401 broker.session_expired AttestationError");
}

TEST(Handshake, takes_evidence_until_the_last_second_of_the_session) {
  TestBroker broker;
  TestGuest guest{broker};
  guest.auth();
  broker.clock.advance(std::chrono::minutes{5} - std::chrono::seconds{1});
  EXPECT_EQ(guest.attest().status, 200);
}

TEST(Handshake, the_session_timeout_is_the_configured_one) {
  auto config = playground();
  config.attestation.session_timeout = std::chrono::minutes{30};
  TestBroker broker{config};
  TestGuest guest{broker};
  guest.auth();
  broker.clock.advance(std::chrono::minutes{29});
  EXPECT_EQ(guest.attest().status, 200);
}

TEST(Handshake, refuses_evidence_that_is_bound_to_another_key_and_spends_the_nonce) {
  TestBroker broker;
  TestGuest guest{broker};
  guest.auth();
  const auto honest = guest.attestation();
  TestGuest other{broker};
  other.nonce = guest.nonce;
  auto foreign = other.attestation();
  auto stolen = honest;
  member(stolen, "runtime-data", "tee-pubkey") = member(foreign, "runtime-data", "tee-pubkey");
  const auto response = guest.attest(stolen);
  EXPECT_EQ(refusal(response), "401 broker.evidence_rejected AttestationError");
  EXPECT_TRUE(detail_of(response).starts_with("Attestation error: RCAR handshake Attest failed"));
  EXPECT_EQ(refusal(guest.attest(honest)), "401 broker.session_unknown AttestationError");
}

TEST(Handshake, refuses_an_attestation_that_does_not_parse) {
  TestBroker broker;
  TestGuest guest{broker};
  guest.auth();
  const auto whole = codec::json::serialize(guest.attestation());
  for (std::size_t size = 0; size < whole.size(); size += 7) {
    const auto response = broker.post("/kbs/v0/attest", whole.substr(0, size), {{"Cookie", guest.cookie}});
    ASSERT_EQ(refusal(response), "401 broker.handshake_malformed AttestationError") << size;
  }
  EXPECT_EQ(guest.attest().status, 200) << "a malformed body does not spend the nonce";
}

TEST(Handshake, refuses_a_tee_key_that_could_not_open_an_answer) {
  TestBroker broker;
  TestGuest guest{broker};
  guest.auth();
  auto attestation = guest.attestation();
  member(attestation, "runtime-data", "tee-pubkey").if_object()->set("x", "AAAA");
  EXPECT_EQ(refusal(guest.attest(attestation)), "401 broker.handshake_malformed AttestationError");
}

TEST(Handshake, refuses_init_data_of_an_unknown_format) {
  TestBroker broker;
  TestGuest guest{broker};
  guest.auth();
  auto attestation = guest.attestation();
  attestation.set("init-data", Object{{"format", "json"}, {"body", "{}"}});
  EXPECT_EQ(refusal(guest.attest(attestation)), "401 broker.handshake_malformed AttestationError");
}

TEST(Handshake, refuses_additional_evidence_of_an_unknown_device) {
  TestBroker broker;
  TestGuest guest{broker};
  guest.auth();
  auto attestation = guest.attestation();
  member(attestation, "tee-evidence", "additional_evidence") = R"({"toaster":{}})";
  EXPECT_EQ(guest.attest(attestation).status, 401);
}

TEST(Handshake, goes_on_at_another_replica_on_the_same_store) {
  TestBroker first;
  TestBroker second{playground(), first.store};
  TestGuest guest{first};
  guest.auth();
  const auto body = codec::json::serialize(guest.attestation());
  EXPECT_EQ(second.post("/kbs/v0/attest", body, {{"Cookie", guest.cookie}}).status, 200);
  first.store_resource("default/key/k1", "secret");
  const auto response = guest.get("default/key/k1");
  EXPECT_EQ(guest.open(response), "secret") << text_of(response);
}

TEST(Handshake, stores_sessions_in_the_shape_that_trustee_reads) {
  TestBroker broker;
  TestGuest guest{broker};
  guest.auth();
  const auto stored = broker.store->get("kbs_protocol_session", session_of(guest.cookie));
  ASSERT_TRUE(stored && *stored);
  const auto session = codec::json::parse(to_text(**stored));
  ASSERT_TRUE(session);
  EXPECT_EQ(*session->at_pointer("/Authed/id")->if_string(), session_of(guest.cookie));
  EXPECT_EQ(*session->at_pointer("/Authed/challenge/nonce")->if_string(), guest.nonce);
  EXPECT_EQ(*session->at_pointer("/Authed/request/tee")->if_string(), "sample");
  EXPECT_EQ(*session->at_pointer("/Authed/timeout")->if_string(), "2026-01-02T03:09:05Z");
}

TEST(Handshake, the_sweeper_removes_expired_sessions_alone) {
  TestBroker broker;
  TestGuest early{broker};
  early.auth();
  broker.clock.advance(std::chrono::minutes{4});
  TestGuest late{broker};
  late.auth();
  broker.clock.advance(std::chrono::minutes{2});
  const auto swept = broker.broker->sweep();
  ASSERT_TRUE(swept);
  EXPECT_EQ(*swept, 1U);
  EXPECT_EQ(late.attest().status, 200);
}

// An attestation service whose verdict waits for a vendor.
class VendorInTrouble final : public appraisal::AttestationService {
 public:
  explicit VendorInTrouble(evidence::CollateralError trouble) : trouble_(trouble) {}
  std::string_view name() const override { return "test"; }
  Result<appraisal::Challenge> challenge(evidence::TeeKind, const Value&) override {
    return appraisal::Challenge{codec::base64_encode(Bytes(32)), Value{""}};
  }
  Result<appraisal::EvaluationOutcome> evaluate(const appraisal::EvaluationRequest&) override { return none(); }
  Result<> set_policy(std::string_view, std::string_view) override { return none(); }
  Result<std::optional<std::string>> get_policy(std::string_view) override { return none(); }
  Result<std::vector<std::string>> list_policies() override { return none(); }
  Result<bool> delete_policy(std::string_view) override { return none(); }
  Result<> register_reference_values(std::string_view) override { return none(); }
  Result<std::optional<Value>> query_reference_value(std::string_view) override { return none(); }
  Result<std::vector<appraisal::ReferenceValue>> list_reference_values() override { return none(); }
  Result<bool> delete_reference_value(std::string_view) override { return none(); }

 private:
  std::unexpected<Error> none() const { return fail(trouble_, "the vendor's own words"); }
  evidence::CollateralError trouble_;
};

TEST(Handshake, a_vendors_trouble_has_its_own_code_and_leaves_the_nonce) {
  using evidence::CollateralError;
  for (const auto trouble : {CollateralError::unreachable, CollateralError::rate_limited, CollateralError::malformed,
                             CollateralError::expired}) {
    TestBroker broker{playground(), nullptr, std::make_shared<VendorInTrouble>(trouble)};
    TestGuest guest{broker};
    guest.auth();
    const auto expected = "401 " + std::string{code_name(trouble)} + " AttestationError";
    for (int attempt = 0; attempt < 2; ++attempt) {
      const auto response = guest.attest();
      EXPECT_EQ(refusal(response), expected);
      EXPECT_EQ(detail_of(response).find("own words"), std::string::npos);
    }
  }
}

TEST(Handshake, a_machine_that_its_vendor_does_not_know_spends_the_nonce) {
  TestBroker broker{playground(), nullptr, std::make_shared<VendorInTrouble>(evidence::CollateralError::not_found)};
  TestGuest guest{broker};
  guest.auth();
  EXPECT_EQ(refusal(guest.attest()), "401 collateral.not_found AttestationError");
  EXPECT_EQ(refusal(guest.attest()), "401 broker.session_unknown AttestationError");
}

}  // namespace
}  // namespace coffer::keybroker::testing
