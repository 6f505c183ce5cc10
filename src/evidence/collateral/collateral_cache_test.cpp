// The store's side: versions, times, offline sites, bundles.
#include "evidence/collateral/collateral_cache.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "codec/json.h"
#include "evidence/collateral/collateral_testing.h"
#include "testing/temporary_directory.h"

namespace coffer::evidence {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

class Cache : public testing::Test {
 protected:
  std::shared_ptr<CollateralCache> make(bool offline = false, net::MetricsRegistry* metrics = nullptr) {
    auto made = CollateralCache::create({.store = store,
                                         .base_urls = {{"amd-kds", service.url() + "/"}},
                                         .offline = offline,
                                         .clock = &clock,
                                         .metrics = metrics});
    EXPECT_TRUE(made) << to_string(made.error());
    return *made;
  }
  static std::string text(const Result<std::shared_ptr<const CollateralBlob>>& blob) {
    return blob ? to_text(ByteView{(*blob)->body}) : to_string(blob.error());
  }

  FixedClock clock{start};
  FakeService service{says(200, "body")};
  std::shared_ptr<storage::KeyValueStore> store = storage::make_memory_store();
};

TEST_F(Cache, an_item_without_end_is_asked_for_once_and_for_ever) {
  net::MetricsRegistry metrics;
  const auto cache = make(false, &metrics);
  EXPECT_EQ(text(cache->get(item_of("a"), start)), "body");
  clock.advance(24h * 365 * 10);
  EXPECT_EQ(text(cache->get(item_of("a"), clock.now())), "body");
  EXPECT_EQ(service.questions(), 1U);
  EXPECT_EQ(text(cache->get(item_of("b"), start)), "body");
  EXPECT_EQ(service.questions(), 2U);
  EXPECT_THAT(metrics.exposition(), HasSubstr("coffer_collateral_total{kind=\"test-item\",outcome=\"fetched\"} 2"));
  EXPECT_THAT(metrics.exposition(), HasSubstr("coffer_collateral_total{kind=\"test-item\",outcome=\"stored\"} 1"));
}

TEST_F(Cache, the_store_outlives_the_program) {
  EXPECT_EQ(text(make()->get(item_of("a"), start)), "body");
  EXPECT_EQ(text(make(true)->get(item_of("a"), start)), "body");
  EXPECT_EQ(service.questions(), 1U);
}

TEST_F(Cache, a_store_of_files_keeps_it_as_well) {
  const TemporaryDirectory directory;
  store = storage::open_sqlite_store(directory.path() / "collateral.db").value();
  EXPECT_EQ(text(make()->get(item_of("a"), start)), "body");
  store = storage::open_sqlite_store(directory.path() / "collateral.db").value();
  EXPECT_EQ(text(make(true)->get(item_of("a"), start)), "body");
}

TEST_F(Cache, an_item_that_ended_is_asked_for_again_and_both_versions_stay) {
  const auto cache = make();
  const auto first = body_between(start, start + 1h);
  const auto second = body_between(start + 1h, start + 2h);
  service.set_answer(says(200, first));
  EXPECT_EQ(text(cache->get(item_of("a"), start)), first);
  EXPECT_EQ(text(cache->get(item_of("a"), start + 30min)), first);
  EXPECT_EQ(service.questions(), 1U);
  clock.advance(1h);
  service.set_answer(says(200, second));
  EXPECT_EQ(text(cache->get(item_of("a"), clock.now())), second);
  EXPECT_EQ(service.questions(), 2U);
  // An audit asks for the past, here and in a store that was opened anew.
  EXPECT_EQ(text(cache->get(item_of("a"), start)), first);
  EXPECT_EQ(text(make(true)->get(item_of("a"), start + 1min)), first);
  EXPECT_EQ(text(make(true)->get(item_of("a"), start + 61min)), second);
  EXPECT_EQ(service.questions(), 2U);
}

TEST_F(Cache, what_the_service_has_now_does_not_serve_a_time_it_does_not_hold_at) {
  service.set_answer(says(200, body_between(start, start + 1h)));
  const auto refused = make()->get(item_of("a"), start - 1min);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, CollateralError::expired);
}

TEST_F(Cache, an_item_with_an_end_is_refreshed_daily_and_used_on_where_the_service_fails) {
  const auto cache = make();
  const auto first = body_between(start, start + 24h * 30);
  const auto second = body_between(start + 1s, start + 24h * 30);
  service.set_answer(says(200, first));
  EXPECT_EQ(text(cache->get(item_of("a"), start)), first);
  clock.advance(25h);
  service.set_answer(says(404, ""));
  EXPECT_EQ(text(cache->get(item_of("a"), clock.now())), first);
  clock.advance(2min);
  service.set_answer(says(200, second));
  EXPECT_EQ(text(cache->get(item_of("a"), clock.now())), second);
  EXPECT_EQ(service.questions(), 3U);
  EXPECT_EQ(text(cache->get(item_of("a"), start + 1min)), second);  // the past is not refreshed
  EXPECT_EQ(service.questions(), 3U);
}

TEST_F(Cache, offline_sites_are_told_what_is_missing_and_what_has_ended) {
  const auto offline = make(true);
  EXPECT_EQ(offline->get(item_of("a"), start).error().code, CollateralError::offline);
  service.set_answer(says(200, body_between(start, start + 1h)));
  ASSERT_TRUE(make()->get(item_of("b"), start));
  EXPECT_EQ(offline->get(item_of("b"), start + 1h).error().code, CollateralError::expired);
  EXPECT_EQ(service.questions(), 1U);
}

TEST_F(Cache, a_bundle_carries_all_to_an_offline_site) {
  const auto cache = make();
  ASSERT_TRUE(cache->get(item_of("a"), start));
  service.set_answer(says(200, body_between(start, start + 1h)));
  ASSERT_TRUE(cache->get(item_of("b"), start));
  const auto bundle = cache->export_bundle();
  ASSERT_TRUE(bundle) << to_string(bundle.error());

  store = storage::make_memory_store();
  const auto offline = make(true);
  EXPECT_FALSE(offline->get(item_of("a"), start));
  const auto report = offline->import_bundle(*bundle);
  ASSERT_TRUE(report) << to_string(report.error());
  EXPECT_EQ(report->added, 2U);
  EXPECT_EQ(text(offline->get(item_of("a"), start)), "body");
  EXPECT_EQ(text(offline->get(item_of("b"), start)), body_between(start, start + 1h));
  EXPECT_EQ(offline->import_bundle(*bundle)->known, 2U);
}

TEST_F(Cache, what_another_process_brings_into_the_store_is_seen) {
  const auto offline = make(true);
  EXPECT_EQ(offline->get(item_of("a"), start).error().code, CollateralError::offline);
  ASSERT_TRUE(make()->get(item_of("a"), start));
  EXPECT_EQ(text(offline->get(item_of("a"), start)), "body");
}

TEST_F(Cache, an_altered_bundle_leaves_the_store_as_it_was) {
  ASSERT_TRUE(make()->get(item_of("a"), start));
  auto bundle = make()->export_bundle().value();
  bundle.replace(bundle.find("\"a\""), 3, "\"x\"");
  store = storage::make_memory_store();
  const auto offline = make(true);
  EXPECT_EQ(offline->import_bundle(bundle).error().code, CollateralError::bad_bundle);
  EXPECT_EQ(offline->get(item_of("x"), start).error().code, CollateralError::offline);
}

TEST_F(Cache, the_times_of_a_bundle_are_not_believed) {
  service.set_answer(says(200, body_between(start, start + 1h)));
  ASSERT_TRUE(make()->get(item_of("a"), start));
  const auto key = store->list("collateral")->front();
  auto record = codec::json::parse(as_text(**store->get("collateral", key))).value();
  record.if_object()->set("until", format_rfc3339(start + 24h * 365));
  ASSERT_TRUE(store->put("collateral", key, as_bytes(codec::json::serialize(record))));
  EXPECT_EQ(make(true)->get(item_of("a"), start + 2h).error().code, CollateralError::expired);
}

TEST_F(Cache, records_that_do_not_parse_are_passed_over) {
  ASSERT_TRUE(store->put("collateral", "test-item/a/0123456789abcdef", as_bytes("{")));
  EXPECT_EQ(make(true)->get(item_of("a"), start).error().code, CollateralError::offline);
  EXPECT_EQ(text(make()->get(item_of("a"), start)), "body");
}

TEST_F(Cache, items_with_impossible_names_are_refused) {
  EXPECT_EQ(make()->get(item_of("../a"), start).error().code, CollateralError::malformed);
  EXPECT_EQ(service.questions(), 0U);
}

TEST(CollateralCache, a_base_url_that_is_none_is_refused) {
  EXPECT_EQ(CollateralCache::create({.base_urls = {{"amd-kds", "kds"}}}).error().code, net::NetError::bad_url);
}

}  // namespace
}  // namespace coffer::evidence
