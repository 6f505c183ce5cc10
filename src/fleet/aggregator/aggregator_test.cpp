#include "fleet/aggregator/aggregator.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

namespace coffer::fleet::aggregator {
namespace {

using codec::json::Array;
using codec::json::Object;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

Object experiment() {
  return {{"experiment_id", "e1"},
          {"round_id", "r1"},
          {"model_ref", "fl/models/global_model_v0"},
          {"participants", Array{"a", "b", "c"}},
          {"hyperparams", Object{{"lr", 0.5}}},
          {"k_of_n", 2},
          {"timeout_s", 30}};
}

void expect_error(const auto& result, ErrorCode code, std::string_view says = "") {
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, code) << to_string(result.error());
  EXPECT_THAT(result.error().message, HasSubstr(std::string{says}));
}

class AggregatorTest : public ::testing::Test {
 protected:
  FixedClock clock{from_unix_seconds(1'800'000'000)};
  std::vector<RoundView> closed;
  bool can_sign = true;
  AggregatorOptions options{.sign = [this](const RoundStatement& statement) -> Result<SignedRound> {
                              if (!can_sign) return fail(AggregatorError::not_attested, "the broker is away");
                              return SignedRound{.statement = "signed " + statement.model_digest, .token = "token"};
                            },
                            .closed = [this](const RoundView& view) { closed.push_back(view); }};
  std::optional<Aggregator> made;

  Aggregator& aggregator() {
    if (!made) made.emplace(options, Model{.values = {0, 0}}, clock);
    return *made;
  }
  Result<RoundView> configure(const Object& body) {
    auto plan = read_plan(body, options.rounds);
    if (!plan) return fail(plan.error());
    return aggregator().configure(std::move(*plan));
  }
  Result<> give(const std::string& worker, double value, const std::string& signer = "", std::uint64_t samples = 1) {
    RoundUpdate update{.round_id = "r1", .proplet_id = worker, .num_samples = samples};
    update.weights = Object{{"w", Array{value, -value}}};
    update.module_digest = "sha256:aa";
    return aggregator().take({.update = std::move(update), .digest = "sha256:" + worker, .signer = signer});
  }
};

TEST_F(AggregatorTest, a_round_completes_with_the_last_update_that_is_needed) {
  ASSERT_TRUE(configure(experiment()));
  EXPECT_TRUE(give("a", 1));
  EXPECT_EQ(aggregator().round("r1")->state, Round::State::open);
  EXPECT_EQ(aggregator().open_rounds(), 1U);
  EXPECT_TRUE(give("c", 4, "", 2));
  const auto view = *aggregator().round("r1");
  EXPECT_EQ(view.state, Round::State::completed);
  EXPECT_EQ(view.updates, 2U);
  EXPECT_EQ(view.model_version, 1U);
  const auto model = *aggregator().model(1);
  EXPECT_THAT(model->model.values, ElementsAre(3, -3));
  EXPECT_EQ(view.model_digest, model->digest);
  EXPECT_EQ(view.statement, "signed " + model->digest);
  EXPECT_EQ(view.token, "token");
  EXPECT_EQ(aggregator().newest_model(), model);
  EXPECT_EQ(aggregator().last_completed()->round_id, "r1");
  ASSERT_EQ(closed.size(), 1U);
  expect_error(give("b", 1), AggregatorError::round_closed, "not counted");
}

TEST_F(AggregatorTest, a_round_that_gets_too_few_by_its_deadline_makes_no_model) {
  ASSERT_TRUE(configure(experiment()));
  ASSERT_TRUE(give("a", 1));
  EXPECT_EQ(aggregator().expire(), clock.now() + seconds{30});
  clock.advance(seconds{30});
  const auto view = *aggregator().round("r1");
  EXPECT_EQ(view.state, Round::State::failed);
  EXPECT_EQ(view.failure->code, ErrorCode{AggregatorError::too_few_participants});
  EXPECT_THAT(view.failure->message, HasSubstr("1 updates of the 2"));
  EXPECT_EQ(aggregator().versions(), std::vector<std::uint64_t>{0});
  EXPECT_FALSE(aggregator().last_completed());
  EXPECT_EQ(aggregator().expire(), std::nullopt);
  ASSERT_EQ(closed.size(), 1U);
  expect_error(give("b", 1), AggregatorError::round_closed);
}

TEST_F(AggregatorTest, participants_count_once_and_strangers_never) {
  ASSERT_TRUE(configure(experiment()));
  ASSERT_TRUE(give("a", 1, "key-1"));
  expect_error(give("a", 1, "key-2"), AggregatorError::duplicate_update, "worker a");
  expect_error(give("b", 1, "key-1"), AggregatorError::duplicate_update, "attested key");
  expect_error(give("d", 1), AggregatorError::unknown_participant, "d");
  EXPECT_EQ(aggregator().round("r1")->updates, 1U);
  EXPECT_TRUE(give("b", 1, "key-2"));
}

TEST_F(AggregatorTest, updates_of_another_module_do_not_count_where_one_is_named) {
  auto body = experiment();
  body.set("module_digest", "sha256:bb");
  ASSERT_TRUE(configure(body));
  expect_error(give("a", 1), AggregatorError::wrong_module, "sha256:bb");
}

TEST_F(AggregatorTest, a_refused_update_leaves_its_participant_another_try) {
  ASSERT_TRUE(configure(experiment()));
  expect_error(give("a", 1, "", 0), AggregatorError::bad_sample_count);
  EXPECT_TRUE(give("a", 1));
}

TEST_F(AggregatorTest, rounds_and_models_that_are_not_there_are_told_so) {
  expect_error(give("a", 1), AggregatorError::unknown_round, "r1");
  expect_error(aggregator().round("r1"), AggregatorError::unknown_round);
  expect_error(aggregator().model(1), AggregatorError::unknown_model);
  auto body = experiment();
  body.set("model_ref", "global_model_v5");
  expect_error(configure(body), AggregatorError::unknown_model, "5");
  ASSERT_TRUE(configure(experiment()));
  expect_error(configure(experiment()), AggregatorError::round_exists);
}

TEST_F(AggregatorTest, no_more_is_held_than_may_be) {
  options.max_open_rounds = 1;
  options.max_held = 2 * 2 * sizeof(double);
  auto body = experiment();
  body.set("k_of_n", 3);
  ASSERT_TRUE(configure(body));
  auto second = experiment();
  second.set("round_id", "r2");
  expect_error(configure(second), AggregatorError::busy, "1 rounds");
  ASSERT_TRUE(give("a", 1) && give("b", 1));
  expect_error(give("c", 1), AggregatorError::busy, "bytes");
}

TEST_F(AggregatorTest, old_rounds_and_models_are_forgotten) {
  options.max_closed_rounds = 1;
  options.max_models = 2;
  for (const auto* id : {"r1", "r2", "r3"}) {
    auto body = experiment();
    body.set("round_id", id);
    body.set("model_ref", uri_of(aggregator().newest_model()->model.version));
    ASSERT_TRUE(configure(body)) << id;
    for (const auto* worker : {"a", "b"}) {
      RoundUpdate update{.round_id = id, .proplet_id = worker, .num_samples = 1, .content = Bytes(8)};
      ASSERT_TRUE(aggregator().take({.update = update, .digest = "d"}));
    }
    clock.advance(seconds{1});
  }
  EXPECT_THAT(aggregator().versions(), ElementsAre(2, 3));
  expect_error(aggregator().round("r1"), AggregatorError::unknown_round);
  EXPECT_TRUE(aggregator().round("r3"));
}

TEST_F(AggregatorTest, a_statement_that_could_not_be_signed_is_signed_when_it_is_asked_for) {
  can_sign = false;
  ASSERT_TRUE(configure(experiment()));
  ASSERT_TRUE(give("a", 1) && give("b", 1));
  EXPECT_EQ(aggregator().round("r1")->state, Round::State::completed);
  EXPECT_EQ(aggregator().round("r1")->statement, "");
  can_sign = true;
  EXPECT_THAT(aggregator().round("r1")->statement, HasSubstr("signed sha256:"));
}

TEST_F(AggregatorTest, stored_models_are_newer_than_all) {
  EXPECT_TRUE(aggregator().store({.version = 4, .values = {1}}));
  expect_error(aggregator().store({.version = 4, .values = {1}}), AggregatorError::model_exists, "from 5");
  expect_error(aggregator().store({.version = 2, .values = {1}}), AggregatorError::model_exists);
}

TEST_F(AggregatorTest, of_updates_that_come_at_once_each_counts_once) {
  auto body = experiment();
  Array participants;
  for (int i = 0; i < 32; ++i) participants.emplace_back("w" + std::to_string(i));
  body.set("participants", participants);
  body.set("k_of_n", 32);
  ASSERT_TRUE(configure(body));
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([this] {
        for (int i = 0; i < 32; ++i) (void)give("w" + std::to_string(i), 2);
      });
    }
  }
  EXPECT_EQ(aggregator().round("r1")->updates, 32U);
  EXPECT_EQ(aggregator().round("r1")->state, Round::State::completed);
  EXPECT_THAT((*aggregator().model(1))->model.values, ElementsAre(2, -2));
  EXPECT_EQ(closed.size(), 1U);
}

TEST(RoundPlan, is_read_from_upstreams_configuration) {
  const auto plan = read_plan(experiment(), {});
  ASSERT_TRUE(plan) << to_string(plan.error());
  EXPECT_EQ(plan->k, 2U);
  EXPECT_EQ(plan->timeout, seconds{30});
  EXPECT_EQ(plan->base_version, 0U);
  EXPECT_THAT(plan->participants, ElementsAre("a", "b", "c"));
  auto usual = experiment();
  usual.erase("k_of_n");
  usual.erase("timeout_s");
  EXPECT_EQ(read_plan(usual, {})->k, 3U);
  EXPECT_EQ(read_plan(usual, {})->timeout, seconds{60});
  usual.set("participants", Array{"a", "b"});
  EXPECT_EQ(read_plan(usual, {})->k, 2U);
}

TEST(RoundPlan, that_shows_single_updates_or_makes_no_sense_is_refused) {
  const auto refused = [](std::string_view member, codec::json::Value value, ErrorCode code, std::string_view says) {
    auto body = experiment();
    body.set(member, std::move(value));
    expect_error(read_plan(body, {}), code, says);
  };
  refused("k_of_n", 1, AggregatorError::bad_request, "from 2 to 3");
  refused("k_of_n", 4, AggregatorError::bad_request, "found 4");
  refused("participants", Array{"a"}, AggregatorError::bad_request, "found 1");
  refused("participants", Array{"a", "b", "a"}, AggregatorError::bad_request, "twice");
  refused("participants", Array{"a", ""}, AggregatorError::bad_request, "no name");
  refused("timeout_s", 90'000, AggregatorError::bad_request, "86400");
  refused("round_id", nullptr, FleetError::missing_member, "round_id");
  refused("timeout_s", "soon", FleetError::bad_member, "timeout_s");
}

}  // namespace
}  // namespace coffer::fleet::aggregator
