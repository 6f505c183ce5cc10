#include "net/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

namespace coffer::net {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(Metrics, counters_gauges_and_histograms_appear_in_the_exposition) {
  MetricsRegistry registry;
  auto requests = *registry.counter({"kbs_requests_total", "Requests", {"method", "status"}});
  auto sessions = *registry.gauge({"kbs_sessions", "Open sessions"});
  const double buckets[] = {0.1, 1};
  auto duration = *registry.histogram({"kbs_seconds", "Duration", {"path"}}, buckets);
  requests.increment({"GET", "200"});
  requests.increment({"GET", "200"}, 2);
  sessions.set(5);
  sessions.add(-2);
  duration.observe(0.5, {"auth"});
  const auto text = registry.exposition();
  EXPECT_THAT(text, HasSubstr("# HELP kbs_requests_total Requests\n# TYPE kbs_requests_total counter\n"));
  EXPECT_THAT(text, HasSubstr("kbs_requests_total{method=\"GET\",status=\"200\"} 3\n"));
  EXPECT_THAT(text, HasSubstr("kbs_sessions 3\n"));
  EXPECT_THAT(text, HasSubstr("kbs_seconds_count{path=\"auth\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("kbs_seconds_bucket{path=\"auth\",le=\"0.1\"} 0\n"));
  EXPECT_THAT(text, HasSubstr("kbs_seconds_bucket{path=\"auth\",le=\"1\"} 1\n"));
}

TEST(Metrics, a_metric_without_labels_is_there_from_the_start) {
  MetricsRegistry registry;
  ASSERT_TRUE(registry.counter({"a_total", "A"}));
  EXPECT_THAT(registry.exposition(), HasSubstr("a_total 0\n"));
}

TEST(Metrics, label_values_cannot_break_out_of_their_line) {
  MetricsRegistry registry;
  auto counter = *registry.counter({"a_total", "A", {"x"}});
  counter.increment({"\"} 1\nevil 1"});
  EXPECT_THAT(registry.exposition(), Not(HasSubstr("\nevil")));
}

TEST(Metrics, the_number_of_series_is_bounded) {
  MetricsRegistry registry;
  auto counter = *registry.counter({"a_total", "A", {"path"}, 3});
  for (int i = 0; i < 100; ++i) counter.increment({"/" + std::to_string(i)});
  const auto text = registry.exposition();
  EXPECT_THAT(text, HasSubstr("a_total{path=\"/2\"} 1\n"));
  EXPECT_THAT(text, Not(HasSubstr("path=\"/3\"")));
  EXPECT_THAT(text, HasSubstr("a_total{path=\"other\"} 97\n"));
}

TEST(Metrics, missing_label_values_are_empty_and_surplus_ones_left_out) {
  MetricsRegistry registry;
  auto counter = *registry.counter({"a_total", "A", {"x", "y"}});
  counter.increment({"1"});
  counter.increment({"1", "", "3"});
  EXPECT_THAT(registry.exposition(), HasSubstr("a_total{x=\"1\",y=\"\"} 2\n"));
}

TEST(Metrics, refuses_names_that_prometheus_does_not_allow) {
  MetricsRegistry registry;
  const ErrorCode bad = NetError::bad_metric;
  for (const auto* name : {"", "1a", "a-b", "a b", "\xc3\xa4"})
    EXPECT_EQ(registry.counter({name, ""}).error().code, bad) << name;
  for (const auto* label : {"", "1", "a:b", "a-b", "__a", "le"}) {
    EXPECT_EQ(registry.gauge({"g", "", {label}}).error().code, bad) << label;
  }
  EXPECT_EQ(registry.gauge({"g", "", {"a", "a"}}).error().code, bad);
  const double descending[] = {2, 1};
  const double equal[] = {1, 1};
  EXPECT_EQ(registry.histogram({"h", ""}, descending).error().code, bad);
  EXPECT_EQ(registry.histogram({"h", ""}, equal).error().code, bad);
  ASSERT_TRUE(registry.counter({"taken_total", ""}));
  EXPECT_EQ(registry.gauge({"taken_total", ""}).error().code, bad);
}

TEST(Metrics, registries_share_nothing) {
  MetricsRegistry first;
  MetricsRegistry second;
  ASSERT_TRUE(first.counter({"a_total", ""}));
  EXPECT_EQ(second.exposition(), "");
  EXPECT_TRUE(second.counter({"a_total", ""}));
}

TEST(Metrics, count_right_from_several_threads) {
  MetricsRegistry registry;
  auto counter = *registry.counter({"a_total", "A", {"x"}});
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([copy = counter]() mutable {
        for (int i = 0; i < 1000; ++i) copy.increment({i % 2 == 0 ? "even" : "odd"});
      });
    }
  }
  EXPECT_THAT(registry.exposition(), HasSubstr("a_total{x=\"even\"} 2000\n"));
}

}  // namespace
}  // namespace coffer::net
