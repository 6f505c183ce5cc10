#include "fleet/aggregator/fedavg.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <random>

namespace coffer::fleet::aggregator {
namespace {

using ::testing::DoubleEq;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

const Model base{.version = 3, .values = {1.0, 2.0, 3.0}, .has_bias = true};  // w = [1, 2], b = 3

Bytes f32(std::initializer_list<float> values) {
  Bytes out(values.size() * 4);
  std::memcpy(out.data(), std::data(values), out.size());  // tests run on little-endian machines alone
  return out;
}

RoundUpdate update(Bytes content, std::uint64_t samples = 1) {
  return {.round_id = "r1", .proplet_id = "w1", .num_samples = samples, .content = std::move(content)};
}

RoundUpdate document(std::string_view text) {
  RoundUpdate out = update(to_bytes(text));
  out.format = RoundUpdate::json;
  return out;
}

void expect_refused(const RoundUpdate& refused, AggregatorError code, std::string_view says) {
  const auto read = read_contribution(refused, base, {.max_samples = 1000});
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, ErrorCode{code}) << to_string(read.error());
  EXPECT_THAT(read.error().message, HasSubstr(std::string{says}));
}

Contribution contribution(std::uint64_t samples, std::vector<double> difference) {
  return {.num_samples = samples, .difference = std::move(difference)};
}

TEST(FedAvg, weighs_updates_by_their_samples) {
  // By hand: n = 4; w0 = 1 + (1*4 + 3*8)/4 = 8; w1 = 2 + (1*-2 + 3*2)/4 = 3; b = 3 + (1*0 + 3*1)/4 = 3.75.
  const auto model = average(base, {{"a", contribution(1, {4, -2, 0})}, {"b", contribution(3, {8, 2, 1})}}, 4);
  ASSERT_TRUE(model) << to_string(model.error());
  EXPECT_THAT(model->values, ElementsAre(DoubleEq(8), DoubleEq(3), DoubleEq(3.75)));
  EXPECT_EQ(model->version, 4U);
  EXPECT_EQ(model->text(), R"({"w":[8.0,3.0],"b":3.75,"version":4})");
}

TEST(FedAvg, equal_updates_make_the_same_model_as_one) {
  const auto one = average(base, {{"a", contribution(7, {0.5, 0.25, -1})}}, 4);
  const auto many =
      average(base, {{"a", contribution(2, {0.5, 0.25, -1})}, {"b", contribution(6, {0.5, 0.25, -1})}}, 4);
  EXPECT_EQ(one->values, many->values);
}

// To the last bit, although sums of binary64 depend on their order.
TEST(FedAvg, the_order_in_which_updates_come_does_not_matter) {
  std::mt19937_64 random(20);
  std::uniform_real_distribution<double> numbers(-1e3, 1e3);
  std::vector<std::pair<std::string, Contribution>> given;
  for (int i = 0; i < 20; ++i) {
    given.emplace_back("worker-" + std::to_string(i),
                       contribution(random() % 1000 + 1, {numbers(random), numbers(random), numbers(random)}));
  }
  const auto first = average(base, {given.begin(), given.end()}, 4);
  for (int i = 0; i < 50; ++i) {
    std::ranges::shuffle(given, random);
    std::map<std::string, Contribution> in_order;
    for (const auto& each : given) in_order.insert(each);
    EXPECT_EQ(average(base, in_order, 4)->values, first->values);
  }
}

TEST(FedAvg, a_model_that_leaves_the_range_of_numbers_is_none) {
  const auto huge = std::numeric_limits<double>::max();
  const Model large{.values = {huge}};
  const auto model = average(large, {{"a", contribution(1, {huge})}}, 1);
  ASSERT_FALSE(model);
  EXPECT_EQ(model.error().code, ErrorCode{AggregatorError::not_finite});
}

TEST(Clip, shortens_what_is_longer_and_leaves_the_rest) {
  std::vector<double> values{3, 4};
  clip(values, 10);
  EXPECT_THAT(values, ElementsAre(3, 4));
  clip(values, 1);
  EXPECT_THAT(values, ElementsAre(DoubleEq(0.6), DoubleEq(0.8)));
  std::vector<double> zeros{0, 0};
  clip(zeros, 1);
  EXPECT_THAT(zeros, ElementsAre(0, 0));
  std::vector<double> huge{1e300, 1e300};
  clip(huge, std::sqrt(2.0));
  EXPECT_THAT(huge, ElementsAre(DoubleEq(1), DoubleEq(1)));
}

TEST(Contribution, reads_differences_in_binary32) {
  const auto read = read_contribution(update(f32({0.5F, -1.0F, 2.0F}), 64), base, {});
  ASSERT_TRUE(read) << to_string(read.error());
  EXPECT_EQ(read->num_samples, 64U);
  EXPECT_THAT(read->difference, ElementsAre(0.5, -1.0, 2.0));
}

TEST(Contribution, reads_whole_weights_as_upstreams_guests_give_them) {
  const auto read = read_contribution(
      document(R"({"round_id":"r1","proplet_id":"w1","base_model_uri":"fl/models/global_model_v3","num_samples":16,)"
               R"("metrics":{"loss":0.5},"update":{"w":[1.5,1.0],"b":5.0,"version":3}})"),
      base, {});
  ASSERT_TRUE(read) << to_string(read.error());
  EXPECT_EQ(read->num_samples, 16U);
  EXPECT_THAT(read->difference, ElementsAre(0.5, -1.0, 2.0));
}

TEST(Contribution, a_guest_may_give_its_own_count_with_a_difference) {
  // 0.5, -1, 2
  auto own = document(R"({"num_samples":9,"update_b64":"AAAAPwAAgL8AAABA"})");
  EXPECT_EQ(read_contribution(own, base, {})->num_samples, 9U);
  own = document(R"({"update_b64":"AAAAPwAAgL8AAABA"})");
  const auto read = read_contribution(own, base, {});
  EXPECT_EQ(read->num_samples, 1U);
  EXPECT_THAT(read->difference, ElementsAre(0.5, -1.0, 2.0));
}

TEST(Contribution, is_clipped_where_that_is_asked_for) {
  const auto read = read_contribution(update(f32({3, 4, 0})), base, {.clip_norm = 1});
  EXPECT_THAT(read->difference, ElementsAre(DoubleEq(0.6), DoubleEq(0.8), DoubleEq(0)));
}

TEST(Contribution, numbers_that_are_none_are_refused) {
  const auto nan = std::numeric_limits<float>::quiet_NaN();
  const auto infinite = std::numeric_limits<float>::infinity();
  expect_refused(update(f32({0, nan, 0})), AggregatorError::not_finite, "not a number");
  expect_refused(update(f32({0, 0, infinite})), AggregatorError::not_finite, "infinite");
  expect_refused(update(f32({-infinite, 0, 0})), AggregatorError::not_finite, "infinite");
  const Model far{.values = {-1.7e308}};
  RoundUpdate weights{.num_samples = 1, .weights = codec::json::Object{{"w", codec::json::Array{1.7e308}}}};
  EXPECT_EQ(read_contribution(weights, far, {}).error().code, ErrorCode{AggregatorError::not_finite});
}

TEST(Contribution, another_length_is_refused) {
  expect_refused(update(f32({0, 0})), AggregatorError::wrong_length, "8 bytes");
  expect_refused(update(f32({0, 0, 0, 0})), AggregatorError::wrong_length, "16 bytes");
  expect_refused(update({}), AggregatorError::wrong_length, "0 bytes");
  expect_refused(update(Bytes(11)), AggregatorError::wrong_length, "11 bytes");
  expect_refused(document(R"({"num_samples":1,"update":{"w":[1.0,2.0,3.0]}})"), AggregatorError::wrong_length,
                 "without a bias");
  expect_refused(document(R"({"num_samples":1,"update":{"w":[1.0],"b":1.0}})"), AggregatorError::wrong_length,
                 "2 with");
  expect_refused(document(R"({"num_samples":1,"update":{"w":["x"]}})"), AggregatorError::wrong_length, "string");
}

TEST(Contribution, counts_that_nobody_has_are_refused) {
  expect_refused(update(f32({0, 0, 0}), 0), AggregatorError::bad_sample_count, "found 0");
  expect_refused(update(f32({0, 0, 0}), 1001), AggregatorError::bad_sample_count, "found 1001");
  expect_refused(document(R"({"num_samples":0,"update":{"w":[1.0,2.0],"b":1.0}})"), AggregatorError::bad_sample_count,
                 "found 0");
}

TEST(Contribution, other_models_rounds_and_formats_are_refused) {
  expect_refused(document(R"({"num_samples":1,"base_model_uri":"global_model_v2","update":{"w":[1.0,2.0],"b":1.0}})"),
                 AggregatorError::wrong_model, "v2");
  expect_refused(document(R"({"round_id":"r2","num_samples":1,"update":{}})"), AggregatorError::wrong_round, "r2");
  expect_refused(document(R"({"proplet_id":"w2","num_samples":1,"update":{}})"), AggregatorError::wrong_round, "w2");
  expect_refused(document(R"({"num_samples":1,"format":"json","update_b64":"e30="})"), AggregatorError::bad_format,
                 "inside a document");
  auto other = update({});
  other.format = "q8";
  expect_refused(other, AggregatorError::bad_format, "q8");
  EXPECT_EQ(read_contribution(document("{"), base, {}).error().code, ErrorCode{FleetError::bad_payload});
}

TEST(Model, is_read_and_written_in_upstreams_form) {
  const auto text = R"({"w":[0.5,-1],"b":2,"version":9})";
  const auto model = Model::read(*codec::json::parse(text)->if_object(), 7, 3);
  ASSERT_TRUE(model) << to_string(model.error());
  EXPECT_THAT(model->values, ElementsAre(0.5, -1, 2));
  EXPECT_EQ(model->text(), R"({"w":[0.5,-1.0],"b":2.0,"version":7})");
  for (const auto* bad :
       {"{}", R"({"w":1})", R"({"w":[]})", R"({"w":["1"]})", R"({"w":[1],"b":"1"})", R"({"w":[1,2,3],"b":4})"}) {
    const auto refused = Model::read(*codec::json::parse(bad)->if_object(), 0, 3);
    ASSERT_FALSE(refused) << bad;
    EXPECT_EQ(refused.error().code, ErrorCode{AggregatorError::bad_model});
  }
}

TEST(Model, is_named_by_its_version) {
  EXPECT_EQ(version_in("fl/models/global_model_v17"), 17U);
  EXPECT_EQ(version_in("5"), 5U);
  EXPECT_EQ(version_in("fl/models/latest"), 0U);
  EXPECT_EQ(version_in(uri_of(8)), 8U);
}

}  // namespace
}  // namespace coffer::fleet::aggregator
