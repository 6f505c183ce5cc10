// Who counts as a worker, as alive, and as proven.
#include "appraisal/token_signer.h"
#include "codec/jose/jwk.h"
#include "fleet/manager/manager_testing.h"
#include "storage/key_value_store.h"

namespace coffer::fleet::manager::testing {
namespace {

using namespace std::chrono_literals;

struct WorkersTest : ::testing::Test {
  Harness h;
  std::size_t count(std::optional<bool> alive = std::nullopt) { return h.manager->workers({}, alive)->total; }
};

TEST_F(WorkersTest, a_last_will_of_a_stranger_makes_no_worker) {
  h.beat(1, "offline");
  EXPECT_EQ(count(), 0U);
  EXPECT_FALSE(h.manager->start_task(h.create(plain_task).id()));
}

TEST_F(WorkersTest, offline_is_offline_until_the_next_heartbeat) {
  h.discover(1);
  h.beat(1, "offline");
  EXPECT_EQ(count(true), 0U);
  EXPECT_EQ(h.manager->start_task(h.create(plain_task).id()).error().code, ManagerError::no_worker);
  h.beat(1);
  EXPECT_EQ(count(true), 1U);
  EXPECT_TRUE(h.manager->start_task(h.create(plain_task).id()));
}

TEST_F(WorkersTest, a_worker_that_was_there_before_the_manager_counts_by_its_heartbeat) {
  h.beat(1);
  EXPECT_EQ(h.start(plain_task).assigned, worker_id(1));
}

TEST_F(WorkersTest, ids_that_are_no_uuids_and_statuses_that_are_none_are_passed_over) {
  h.manager->on_message(Topic::alive, R"({"proplet_id":"worker-1","status":"alive"})");
  h.manager->on_message(Topic::discovery, R"({"proplet_id":"worker-1","namespace":"default"})");
  h.beat(1, "restarting");
  EXPECT_EQ(count(), 0U);
}

TEST_F(WorkersTest, a_heartbeat_every_ten_seconds_does_not_flap) {
  h.discover(1);
  h.pass(21s);  // one was late
  EXPECT_EQ(count(true), 1U);
  h.pass(5s);
  EXPECT_EQ(count(true), 0U);
  EXPECT_EQ(count(false), 1U);
}

TEST_F(WorkersTest, discovery_again_refreshes_and_forgets_nothing) {
  h.discover(1, {"old"});
  const auto name = h.manager->worker(worker_id(1))->worker.name;
  const auto task = h.start(plain_task);
  h.discover(1, {"new"});
  const auto view = h.manager->worker(worker_id(1)).value();
  EXPECT_EQ(view.worker.metadata.tags, std::vector<std::string>{"new"});
  EXPECT_EQ(view.worker.name, name);
  EXPECT_EQ(view.task_count, 1U);
  EXPECT_EQ(view.worker.history.size(), 2U);
  h.result(task.id(), "");
  EXPECT_EQ(h.manager->worker(worker_id(1))->task_count, 0U);
}

TEST_F(WorkersTest, only_the_last_ten_heartbeats_are_kept) {
  h.discover(1);
  for (int i = 0; i < 20; ++i) {
    h.pass(5s);
    h.beat(1);
  }
  const auto worker = h.manager->worker(worker_id(1))->worker;
  EXPECT_EQ(worker.history.size(), 10U);
  EXPECT_EQ(worker.last_alive(), h.clock.now());
}

TEST_F(WorkersTest, the_next_manager_knows_them_but_believes_nothing_of_their_tee) {
  h.discover(1, {"gpu"});
  h.discover(2);
  ASSERT_TRUE(h.manager->delete_worker(worker_id(2)));
  h.restart();
  EXPECT_EQ(count(), 1U);
  const auto worker = h.manager->worker(worker_id(1))->worker;
  EXPECT_EQ(worker.metadata.tags, std::vector<std::string>{"gpu"});
  EXPECT_FALSE(worker.verified);
}

TEST_F(WorkersTest, a_worker_with_tasks_is_not_forgotten) {
  h.discover(1);
  const auto task = h.start(plain_task);
  EXPECT_EQ(h.manager->delete_worker(worker_id(1)).error().code, ManagerError::conflict);
  h.result(task.id(), "");
  EXPECT_TRUE(h.manager->delete_worker(worker_id(1)));
  EXPECT_EQ(h.manager->delete_worker(worker_id(1)).error().code, ManagerError::not_found);
}

TEST_F(WorkersTest, there_is_an_end_to_how_many_are_taken_in) {
  Harness small{Engine::sqlite, {.workers = {.max_workers = 2}}};
  for (int i = 1; i <= 5; ++i) small.beat(i);
  EXPECT_EQ(small.manager->workers({}, std::nullopt)->total, 2U);
}

TEST_F(WorkersTest, tasks_go_round_and_to_the_least_busy) {
  for (int i = 1; i <= 3; ++i) h.discover(i);
  std::map<std::string, int> tasks;
  std::vector<std::string> ids;
  for (int i = 0; i < 6; ++i) {
    const auto task = h.start(plain_task);
    ++tasks[task.assigned];
    ids.push_back(task.id());
  }
  EXPECT_EQ(tasks, (std::map<std::string, int>{{worker_id(1), 2}, {worker_id(2), 2}, {worker_id(3), 2}}));
  const auto freed = h.task(ids[4]).assigned;
  h.result(ids[4], "");
  EXPECT_EQ(h.start(plain_task).assigned, freed);
}

TEST_F(WorkersTest, a_pinned_task_goes_to_its_worker_or_nowhere) {
  h.discover(1);
  h.discover(2);
  const auto pinned = R"({"name":"a","image_url":"x","proplet_id":")" + worker_id(2) + "\"}";
  EXPECT_EQ(h.start(pinned).assigned, worker_id(2));
  EXPECT_EQ(h.start(pinned).assigned, worker_id(2));
  h.beat(2, "offline");
  const auto refused = h.manager->start_task(h.create(pinned).id());
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("pinned"), std::string::npos);
}

TEST_F(WorkersTest, what_a_task_requires_is_asked) {
  h.discover(1, {"cpu"});
  h.discover(2, {"gpu", "eu"});
  EXPECT_EQ(h.start(R"({"name":"a","image_url":"x","required_tags":["gpu","eu"]})").assigned, worker_id(2));
  const auto none = h.manager->start_task(h.create(R"({"name":"a","image_url":"x","required_tags":["us"]})").id());
  EXPECT_EQ(none.error().code, ManagerError::no_eligible_worker);
  EXPECT_NE(none.error().message.find("\"us\""), std::string::npos);
  const auto large = R"({"name":"a","image_url":"x","required_memory_bytes":2000000000})";
  EXPECT_EQ(h.manager->start_task(h.create(large).id()).error().code, ManagerError::no_eligible_worker);
  h.beat(1, Capabilities{.memory_available_bytes = 3'000'000'000});
  EXPECT_EQ(h.start(large).assigned, worker_id(1));
  EXPECT_FALSE(h.manager->start_task(h.create(R"({"name":"a","image_url":"x","required_tee":"tdx"})").id()));
}

// A broker's signer, and workers that hold what it attested.
struct AttestedWorkersTest : ::testing::Test {
  TimePoint start = parse_rfc3339("2026-01-01T00:00:00Z").value();
  std::unique_ptr<storage::KeyValueStore> store = storage::make_memory_store();
  appraisal::TokenSigner signer = *appraisal::TokenSigner::load_or_create(*store, start);
  crypto::PrivateKey key = *crypto::PrivateKey::generate(crypto::KeyKind::ec_p256);
  Harness h{Engine::sqlite, {}, trust()};

  std::optional<WorkerTrust> trust() const {
    WorkerTrustOptions options;
    options.tokens.trusted_certificates = {signer.chain().back()};
    return WorkerTrust::create(options).value();
  }
  std::string token() const {
    auto vector = appraisal::TrustVector::zeros();
    for (const auto name : appraisal::TrustVector::names) EXPECT_TRUE(vector.set(name, 2));
    const appraisal::Submodule submodule{
        .name = "cpu0",
        .vector = vector,
        .policy_id = "default",
        .annotated_evidence =
            appraisal::annotate({.tee = evidence::TeeKind::snp, .claims = {.claims = {{"measurement", "ab"}}}})};
    auto claims = appraisal::ear_claims({submodule}, {}, h.clock.now());
    claims.set("tee-pubkey", codec::jose::to_jwk(key.public_key(), "ECDH-ES+A256KW"));
    return *signer.sign(claims);
  }
  // As worker `number`, with a proof about worker `subject`.
  void prove(int number, int subject) {
    Capabilities capabilities{.runtimes = {"wasm", "tee"}};
    capabilities.attestation =
        Capabilities::Attestation{.token = token(), .proof = *sign_presence(worker_id(subject), h.clock.now(), key)};
    h.beat(number, capabilities);
  }
  static constexpr std::string_view encrypted = R"({"name":"a","image_url":"x","encrypted":true})";
  std::string refusal() {
    const auto started = h.manager->start_task(h.create(encrypted).id());
    return started ? "(started)" : started.error().message;
  }
  void tick_until_counted() {
    for (int i = 0; i < 5; ++i) h.manager->tick();
  }
};

TEST_F(AttestedWorkersTest, encrypted_work_goes_to_the_one_that_proved_itself) {
  for (int i = 1; i <= 3; ++i) h.discover(i);
  prove(2, 2);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(h.start(encrypted).assigned, worker_id(2));
  EXPECT_EQ(h.manager->worker(worker_id(2))->worker.verified->tee, "snp");
  EXPECT_EQ(h.start(R"({"name":"a","image_url":"x","required_tee":"snp"})").assigned, worker_id(2));
  EXPECT_FALSE(h.manager->start_task(h.create(R"({"name":"a","image_url":"x","required_tee":"tdx"})").id()));
}

TEST_F(AttestedWorkersTest, a_token_that_was_overheard_is_no_proof) {
  prove(1, 2);
  EXPECT_NE(refusal().find("fleet.bad_proof"), std::string::npos) << refusal();
}

TEST_F(AttestedWorkersTest, silence_is_never_trust) {
  prove(1, 1);
  EXPECT_EQ(refusal(), "(started)");
  h.pass(20s);
  h.beat(1);  // alive, and says nothing of its TEE
  EXPECT_EQ(refusal(), "(started)");
  h.pass(20s);
  h.beat(1);
  h.pass(21s);
  h.beat(1);
  EXPECT_NE(refusal().find("too long ago"), std::string::npos) << refusal();
  prove(1, 1);
  EXPECT_EQ(refusal(), "(started)");
}

TEST_F(AttestedWorkersTest, what_it_takes_back_is_gone) {
  prove(1, 1);
  h.beat(1, Capabilities{.tee = Capabilities::Tee{.type = "snp"}, .runtimes = {"wasm", "tee"}});
  EXPECT_NE(refusal().find("sends no attestation token"), std::string::npos);
}

TEST_F(AttestedWorkersTest, a_task_waits_for_proof_with_the_reason_in_it) {
  h.discover(1);
  const auto task = h.start(R"({"name":"a","image_url":"x","encrypted":true,"on_unavailable":"wait"})");
  EXPECT_EQ(task.state, TaskState::scheduled);
  EXPECT_NE(task.reason.find("sends no attestation token"), std::string::npos) << task.reason;
  EXPECT_EQ(h.manager->dispatch().value(), 0U);
  prove(1, 1);
  EXPECT_EQ(h.manager->dispatch().value(), 1U);
  EXPECT_TRUE(h.task(task.id()).reason.empty());
}

TEST_F(AttestedWorkersTest, what_waits_for_proof_is_counted_beside_the_rest_of_the_queue) {
  h.discover(1);
  h.start(R"({"name":"a","image_url":"x","encrypted":true,"on_unavailable":"wait"})");
  h.start(R"({"name":"a","image_url":"x","required_tags":["gpu"],"on_unavailable":"wait"})");
  tick_until_counted();
  EXPECT_EQ(h.manager->queue_length(), 2U);
  EXPECT_EQ(h.manager->encrypted_queue_length(), 1U);
  prove(1, 1);
  EXPECT_EQ(h.manager->dispatch().value(), 1U);
  tick_until_counted();
  EXPECT_EQ(h.manager->encrypted_queue_length(), 0U);
}

}  // namespace
}  // namespace coffer::fleet::manager::testing
