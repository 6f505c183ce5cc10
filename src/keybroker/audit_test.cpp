#include "keybroker/audit.h"

#include "codec/base64.h"
#include "keybroker/broker_testing.h"
#include "keybroker/explanation.h"
#include "keybroker/resource_policies.h"

namespace coffer::keybroker::testing {
namespace {

const Value& last_of(const Value& records) {
  return records.if_array()->back();
}

std::string text_at(const Value& value, std::string_view pointer) {
  const auto* found = value.at_pointer(pointer);
  return found != nullptr && found->if_string() != nullptr ? *found->if_string() : "";
}

TEST(Audit, records_a_release_with_guest_resource_policy_and_token) {
  TestBroker broker;
  broker.store_resource("default/key/k1", "secret");
  TestGuest guest{broker};
  guest.handshake();
  ASSERT_EQ(guest.get("default/key/k1").status, 200);
  const auto records = broker.audit();
  const auto& record = last_of(records);
  EXPECT_EQ(text_at(record, "/action"), "resource.get");
  EXPECT_EQ(text_at(record, "/decision"), "released");
  EXPECT_EQ(text_at(record, "/time"), "2026-01-02T03:04:05Z");
  EXPECT_EQ(text_at(record, "/session"), session_of(guest.cookie));
  EXPECT_EQ(text_at(record, "/tee"), "sample");
  EXPECT_EQ(text_at(record, "/resource"), "default/key/k1");
  EXPECT_EQ(text_at(record, "/peer"), "127.0.0.1:40000");
  EXPECT_EQ(text_at(record, "/policy/id"), "allow_all");
  EXPECT_EQ(text_at(record, "/policy/sha256").size(), 64U);
  EXPECT_EQ(text_at(record, "/token_sha256"), codec::hex_encode(crypto::sha256(as_bytes(guest.token))));
  EXPECT_EQ(text_at(record, "/evidence/claims_sha256").size(), 64U);
  EXPECT_EQ(codec::json::serialize(records).find("secret"), std::string::npos);
}

TEST(Audit, records_an_attestation_with_its_status_and_the_reasons_why_it_is_not_affirming) {
  TestBroker broker;
  TestGuest guest{broker};
  guest.handshake();
  const auto records = broker.audit();
  const auto& record = last_of(records);
  EXPECT_EQ(text_at(record, "/action"), "attest");
  EXPECT_EQ(text_at(record, "/decision"), "attested");
  EXPECT_EQ(text_at(record, "/evidence/status"), "contraindicated");
  ASSERT_NE(record.find("explanation"), nullptr);
  EXPECT_FALSE(record.find("explanation")->if_array()->empty());
}

TEST(Audit, explains_a_denial_by_the_rule_its_claim_and_what_was_expected_and_found) {
  TestBroker broker;
  broker.store_resource("default/key/k1", "secret");
  broker.set_resource_policy(builtin_policy_text(DefaultPolicy::affirming));
  TestGuest guest{broker};
  guest.handshake();
  ASSERT_EQ(guest.get("default/key/k1").status, 401);
  const auto records = broker.audit("?last=1");
  const auto& record = last_of(records);
  EXPECT_EQ(text_at(record, "/decision"), "denied");
  EXPECT_EQ(text_at(record, "/code"), "broker.policy_denied");
  ASSERT_NE(record.find("explanation"), nullptr) << codec::json::serialize_pretty(record);
  bool policy_named = false;
  bool appraisal_named = false;
  for (const auto& reason : *record.find("explanation")->if_array()) {
    if (text_at(reason, "/policy") == "resource-policy" && text_at(reason, "/rule") == "allow") policy_named = true;
    if (text_at(reason, "/policy") == "default_cpu" && text_at(reason, "/claim") == "input.sample.launch_digest") {
      appraisal_named = true;
      EXPECT_EQ(text_at(reason, "/actual"), "abcde");
    }
  }
  EXPECT_TRUE(policy_named) << codec::json::serialize_pretty(record);
  EXPECT_TRUE(appraisal_named) << codec::json::serialize_pretty(record);
}

TEST(Audit, the_guest_sees_nothing_of_the_explanation) {
  TestBroker broker;
  broker.set_resource_policy(builtin_policy_text(DefaultPolicy::affirming));
  TestGuest guest{broker};
  guest.handshake();
  const auto body = text_of(guest.get("default/key/k1"));
  EXPECT_EQ(body.find("launch_digest"), std::string::npos);
  EXPECT_EQ(body.find("affirming"), std::string::npos);
}

TEST(Audit, records_rejected_evidence_with_its_cause) {
  TestBroker broker;
  TestGuest guest{broker};
  guest.auth();
  const auto right = guest.nonce;
  guest.nonce = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
  auto attestation = guest.attestation();
  attestation.find("runtime-data")->if_object()->set("nonce", right);
  ASSERT_EQ(refusal(guest.attest(attestation)), "401 broker.evidence_rejected AttestationError");
  const auto records = broker.audit();
  const auto& record = last_of(records);
  EXPECT_EQ(text_at(record, "/code"), "broker.evidence_rejected");
  EXPECT_NE(text_at(record, "/reason").find("evidence.report_data_mismatch"), std::string::npos);
}

TEST(Audit, a_first_get_without_a_token_is_how_handshakes_begin_and_leaves_no_record) {
  TestBroker broker;
  broker.get("/kbs/v0/resource/default/key/k1");
  EXPECT_TRUE(broker.audit().if_array()->empty());
}

TEST(Audit, can_be_asked_for_one_session) {
  TestBroker broker;
  TestGuest first{broker};
  first.handshake();
  TestGuest second{broker};
  second.handshake();
  const auto records = broker.audit("?session=" + session_of(first.cookie));
  ASSERT_EQ(records.if_array()->size(), 1U);
  EXPECT_EQ(text_at(last_of(records), "/session"), session_of(first.cookie));
}

TEST(Audit, records_what_administrators_do) {
  TestBroker broker;
  broker.store_resource("default/key/k1", "x");
  const auto records = broker.audit();
  EXPECT_EQ(text_at(last_of(records), "/action"), "resource.set");
  EXPECT_EQ(text_at(last_of(records), "/decision"), "done");
  EXPECT_EQ(text_at(last_of(records), "/admin"), "anyone");
}

TEST(Audit, cuts_what_someone_who_is_denied_could_fill_the_store_with) {
  auto config = playground();
  config.admin.mode = AdminMode::deny_all;
  auto store = std::shared_ptr<storage::KeyValueStore>{storage::make_memory_store()};
  TestBroker broker{config, store};
  EXPECT_EQ(broker.get("/kbs/v0/audit?x=" + std::string(100'000, 'x')).status, 401);
  const auto keys = store->list("audit");
  ASSERT_EQ(keys->size(), 1U);
  const auto record = *store->get("audit", keys->front());
  EXPECT_LT(record->size(), 3 * max_text);
  EXPECT_NE(as_text(*record).find("xxx [cut]"), std::string_view::npos);
}

TEST(Audit, cuts_values_that_the_guest_chose_in_an_explanation) {
  const policy::Condition condition{.rule = "allow", .text = "x", .actual = Value{std::string(100'000, 'x')}};
  EXPECT_LT(codec::json::serialize(Value{explain_policy("p", {condition})}).size(), 2000U);
}

class Retention : public ::testing::Test {
 protected:
  AuditLog log(AuditConfig config) { return AuditLog{store, config, clock, crypto::system_random()}; }
  static void append(AuditLog& log, Decision decision, int times) {
    for (int i = 0; i < times; ++i) ASSERT_TRUE(log.append({.action = "resource.get", .decision = decision}));
  }
  static std::size_t count(const AuditLog& log, std::string_view decision) {
    const auto records = log.query(std::nullopt, 1000);
    std::size_t count = 0;
    for (const auto& record : *records) count += text_at(record, "/decision") == decision ? 1 : 0;
    return count;
  }
  FixedClock clock{start_of_test};
  std::shared_ptr<storage::KeyValueStore> store = storage::make_memory_store();
};

TEST_F(Retention, many_denials_do_not_push_out_releases) {
  auto audit = log({.max_records = 5});
  append(audit, Decision::released, 3);
  append(audit, Decision::denied, 50);
  ASSERT_TRUE(audit.prune());
  EXPECT_EQ(count(audit, "released"), 3U);
  EXPECT_EQ(count(audit, "denied"), 5U);
}

TEST_F(Retention, many_attestations_do_not_push_out_releases) {
  auto audit = log({.max_records = 5});
  append(audit, Decision::released, 3);
  append(audit, Decision::attested, 50);
  ASSERT_TRUE(audit.prune());
  EXPECT_EQ(count(audit, "released"), 3U);
  EXPECT_EQ(count(audit, "attested"), 5U);
}

TEST_F(Retention, the_oldest_records_go_first) {
  auto audit = log({.max_records = 2});
  append(audit, Decision::released, 2);
  clock.advance(std::chrono::hours{1});
  append(audit, Decision::released, 2);
  ASSERT_TRUE(audit.prune());
  const auto records = audit.query(std::nullopt, 10);
  ASSERT_EQ(records->size(), 2U);
  EXPECT_EQ(text_at(records->front(), "/time"), "2026-01-02T04:04:05Z");
}

TEST_F(Retention, records_end_with_their_age) {
  auto audit = log({.max_age = std::chrono::hours{24}});
  append(audit, Decision::released, 1);
  clock.advance(std::chrono::hours{25});
  append(audit, Decision::denied, 1);
  EXPECT_EQ(*audit.prune(), 1U);
  EXPECT_EQ(audit.query(std::nullopt, 10)->size(), 1U);
}

// A store that stops taking audit records.
class FailingAudit final : public storage::KeyValueStore {
 public:
  Result<std::optional<Bytes>> get(std::string_view space, std::string_view key) override {
    return inner_->get(space, key);
  }
  Result<> put(std::string_view space, std::string_view key, ByteView value) override {
    return inner_->put(space, key, value);
  }
  Result<> put_if(std::string_view space, std::string_view key, std::optional<ByteView> expected,
                  ByteView value) override {
    if (broken && space == "audit") return fail(storage::StorageError::unavailable, "the disk is full");
    return inner_->put_if(space, key, expected, value);
  }
  Result<bool> erase(std::string_view space, std::string_view key) override { return inner_->erase(space, key); }
  Result<std::vector<std::string>> list(std::string_view space, std::string_view prefix, std::string_view after,
                                        std::size_t limit) override {
    return inner_->list(space, prefix, after, limit);
  }
  bool broken = false;

 private:
  std::unique_ptr<storage::KeyValueStore> inner_ = storage::make_memory_store();
};

TEST(Audit, what_cannot_be_recorded_is_not_released) {
  auto store = std::make_shared<FailingAudit>();
  TestBroker broker{playground(), store};
  broker.store_resource("default/key/k1", "secret");
  TestGuest guest{broker};
  guest.handshake();
  store->broken = true;
  EXPECT_EQ(refusal(guest.get("default/key/k1")), "401 broker.storage_failed PluginInternalError");
  store->broken = false;
  EXPECT_EQ(guest.get("default/key/k1").status, 200);
}

}  // namespace
}  // namespace coffer::keybroker::testing
