#include "fleet/manager/sealed_wire.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "fleet/messages.h"
#include "fleet/sealed/sealed_testing.h"
#include "testing/temporary_directory.h"

namespace coffer::fleet::manager {
namespace {

using namespace std::chrono_literals;
using sealed::testing::key_one;
using sealed::testing::key_two;
using sealed::testing::keys_with;

class ListOutbox final : public Outbox {
 public:
  Result<> send(Topic, std::string payload) override {
    sent.push_back(std::move(payload));
    return {};
  }
  Result<> post(Topic topic, std::string payload, Done done) override {
    TRY(send(topic, std::move(payload)));
    done({});
    return {};
  }
  bool connected() const override { return true; }
  std::vector<std::string> sent;
};

class SealedWireTest : public ::testing::Test {
 protected:
  void write(std::initializer_list<std::string_view> keys) {
    directory_.write("new", as_text(keys_with(keys).document().expose()));
    ASSERT_EQ(::chmod((directory_.path() / "new").c_str(), 0600), 0);
    std::filesystem::rename(directory_.path() / "new", directory_.path() / "keys.json");
  }
  Result<> open(bool accept_plain = false, std::string file = "keys.json") {
    const GroupKeyConfig config{.file = file.empty() ? file : (directory_.path() / file).string(),
                                .accept_plain = accept_plain};
    wire_ = TRY(SealedWire::create(config, topics_, "manager", metrics_,
                                   [this](const std::string&, SealedWire::Incoming incoming) {
                                     delivered_.push_back(std::move(incoming.payload));
                                   }));
    outbox_.set(wire_.get());
    worker_.set_keys(keys_with({key_one}));
    return {};
  }
  // What the worker's text becomes.
  std::string hear(std::string_view payload, Topic topic = Topic::alive) {
    const auto incoming = wire_->incoming(topics_.of(topic), payload);
    return incoming ? incoming->payload : "refused";
  }
  std::string sealed(std::string_view payload, Topic topic = Topic::alive) {
    return worker_.seal(topics_.of(topic), payload).value();
  }
  std::string count(const std::string& series) const {
    const auto text = "\n" + metrics_.exposition();
    const auto place = text.find("\n" + series + " ");
    return place == std::string::npos
               ? ""
               : text.substr(place + series.size() + 2, text.find('\n', place + 1) - place - series.size() - 2);
  }
  bool reads(const std::string& payload, Topic topic = Topic::start) {
    return worker_.open(topics_.of(topic), payload).has_value();
  }

  TemporaryDirectory directory_;
  Topics topics_ = Topics::create("t", "c").value();
  net::MetricsRegistry metrics_;
  sealed::SealedChannel worker_{{.own_id = "worker"}};
  std::vector<std::string> delivered_;
  std::unique_ptr<SealedWire> wire_;
  ListOutbox list_;
  SealedOutbox outbox_{list_};
};

TEST_F(SealedWireTest, without_a_key_is_not_there) {
  ASSERT_TRUE(open(false, ""));
  EXPECT_EQ(hear("{plain"), "{plain");
  ASSERT_TRUE(outbox_.send(Topic::start, "start"));
  EXPECT_EQ(list_.sent, std::vector<std::string>{"start"});
  wire_->tick();
  EXPECT_EQ(count("manager_payloads_refused_total{code=\"sealed.not_sealed\"}"), "0");
  EXPECT_EQ(count("manager_accepts_plain_payloads"), "0");
}

TEST_F(SealedWireTest, seals_what_goes_out_and_takes_nothing_plain) {
  write({key_one});
  ASSERT_TRUE(open());
  ASSERT_TRUE(outbox_.send(Topic::start, "{\"id\":\"t1\"}"));
  bool told = false;
  ASSERT_TRUE(outbox_.post(Topic::stop, "{\"id\":\"t2\"}", [&](const Result<>& done) { told = done.has_value(); }));
  EXPECT_TRUE(told);
  ASSERT_EQ(list_.sent.size(), 2U);
  EXPECT_TRUE(reads(list_.sent[0]));
  EXPECT_TRUE(reads(list_.sent[1], Topic::stop));
  EXPECT_EQ(hear("{}"), "refused");
  EXPECT_EQ(hear(sealed("beat")), "beat");
  EXPECT_EQ(count("manager_payloads_refused_total{code=\"sealed.not_sealed\"}"), "1");
}

TEST_F(SealedWireTest, says_when_a_payload_was_sent) {
  write({key_one});
  ASSERT_TRUE(open());
  const auto before = system_clock().now();
  const auto incoming = wire_->incoming(topics_.of(Topic::results), sealed("done", Topic::results));
  ASSERT_TRUE(incoming && incoming->sent_at);
  EXPECT_GE(*incoming->sent_at, before);
}

TEST_F(SealedWireTest, beside_plain_workers_answers_each_in_kind) {
  write({key_one});
  ASSERT_TRUE(open(true));
  EXPECT_EQ(count("manager_accepts_plain_payloads"), "1");
  EXPECT_EQ(hear("{\"proplet_id\":\"upstream\"}"), "{\"proplet_id\":\"upstream\"}");
  EXPECT_EQ(count("manager_plain_payloads_accepted_total"), "1");
  const std::string to_worker = R"({"id":"t","proplet_id":"worker"})";
  ASSERT_TRUE(outbox_.send(Topic::start, to_worker));
  ASSERT_EQ(list_.sent.size(), 2U);  // nobody knows yet what it takes
  EXPECT_EQ(list_.sent[1], to_worker);
  EXPECT_EQ(hear(sealed("beat")), "beat");
  list_.sent.clear();
  ASSERT_TRUE(outbox_.post(Topic::start, to_worker, [](const Result<>&) {}));
  ASSERT_EQ(list_.sent.size(), 1U);
  EXPECT_TRUE(reads(list_.sent[0]));
  // Garbage is no plain payload's equal.
  EXPECT_EQ(hear("{\"coffer_sealed\":{}}"), "refused");
}

TEST_F(SealedWireTest, takes_a_new_key_when_its_file_changes_and_what_waited_for_it) {
  write({key_one});
  ASSERT_TRUE(open());
  worker_.set_keys(keys_with({key_two, key_one}));
  EXPECT_EQ(hear(sealed("early")), "refused");
  wire_->tick();
  EXPECT_TRUE(delivered_.empty());
  write({key_two, key_one});
  wire_->tick();
  EXPECT_EQ(delivered_, std::vector<std::string>{"early"});
  EXPECT_EQ(count("manager_payloads_refused_total{code=\"sealed.unknown_key\"}"), "0");
  EXPECT_EQ(hear(sealed("later")), "later");
}

TEST_F(SealedWireTest, uses_its_keys_on_where_the_file_is_spoilt) {
  write({key_one});
  ASSERT_TRUE(open());
  directory_.write("keys.json", "{}");
  wire_->tick();
  EXPECT_EQ(hear(sealed("beat")), "beat");
}

TEST_F(SealedWireTest, does_not_begin_without_its_keys) {
  EXPECT_EQ(open().error().code, sealed::SealedError::unreadable_key_file);
}

TEST_F(SealedWireTest, does_not_begin_with_keys_that_others_may_read) {
  write({key_one});
  ASSERT_EQ(::chmod((directory_.path() / "keys.json").c_str(), 0644), 0);
  EXPECT_EQ(open().error().code, sealed::SealedError::exposed_key_file);
}

}  // namespace
}  // namespace coffer::fleet::manager
