// The service's side: statuses, faults, limits, and many threads.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "evidence/collateral/collateral_cache.h"
#include "evidence/collateral/collateral_testing.h"
#include "net/url.h"

namespace coffer::evidence {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

class Service : public testing::Test {
 protected:
  std::shared_ptr<CollateralCache> make(Duration budget = 5s) {
    auto made = CollateralCache::create(
        {.base_urls = {{"amd-kds", service.url()}}, .budget = budget, .clock = &clock, .sleep = [this](Duration pause) {
           slept += pause;
         }});
    EXPECT_TRUE(made) << to_string(made.error());
    return *made;
  }
  Error refusal(CollateralCache& cache, const CollateralItem& item = item_of("a")) {
    const auto got = cache.get(item, clock.now());
    EXPECT_FALSE(got);
    return got ? Error{CollateralError::offline, "accepted"} : got.error();
  }

  FixedClock clock{start};
  FakeService service{says(200, "body")};
  Duration slept{};
};

TEST_F(Service, absent_items_are_not_found_and_not_asked_for_again_at_once) {
  const auto cache = make();
  for (const int status : {400, 404, 410}) {
    service.set_answer(says(status, "no"));
    const auto item = item_of("status-" + std::to_string(status));
    EXPECT_EQ(refusal(*cache, item).code, CollateralError::not_found);
    EXPECT_EQ(refusal(*cache, item).code, CollateralError::not_found);
  }
  EXPECT_EQ(service.questions(), 3U);
  service.set_answer(says(200, "body"));
  clock.advance(61s);
  EXPECT_TRUE(cache->get(item_of("status-404"), clock.now()));
}

TEST_F(Service, one_that_limits_is_left_alone_for_as_long_as_it_says) {
  const auto cache = make();
  service.set_answer(says(429, "slow down", {{"Retry-After", "120"}}));
  EXPECT_EQ(refusal(*cache).code, CollateralError::rate_limited);
  EXPECT_EQ(service.questions(), 1U);
  service.set_answer(says(200, "body"));
  clock.advance(119s);
  const auto refused = refusal(*cache, item_of("b"));
  EXPECT_EQ(refused.code, CollateralError::rate_limited);
  EXPECT_THAT(refused.message, HasSubstr("2026-01-01T00:02:00Z"));
  EXPECT_EQ(service.questions(), 1U);
  clock.advance(1s);
  EXPECT_TRUE(cache->get(item_of("b"), clock.now()));
}

TEST_F(Service, a_short_limit_is_waited_for) {
  const auto cache = make();
  std::atomic<int> left = 1;
  service.set_answer([&](const net::ServerRequest& request) {
    return left-- > 0 ? says(429, "", {{"Retry-After", "1"}})(request) : says(200, "body")(request);
  });
  EXPECT_TRUE(cache->get(item_of("a"), start));
  EXPECT_EQ(service.questions(), 2U);
  EXPECT_GE(slept, 1s);
}

TEST_F(Service, one_that_fails_is_tried_again_and_then_left_alone_for_a_growing_while) {
  const auto cache = make();
  service.set_answer(says(500, "oh"));
  const auto refused = refusal(*cache);
  EXPECT_EQ(refused.code, CollateralError::unreachable);
  EXPECT_THAT(refused.message, HasSubstr("status 500"));
  EXPECT_EQ(service.questions(), 3U);
  EXPECT_EQ(refusal(*cache).code, CollateralError::unreachable);
  EXPECT_EQ(service.questions(), 3U);
  clock.advance(1s);
  EXPECT_EQ(refusal(*cache).code, CollateralError::unreachable);
  EXPECT_EQ(service.questions(), 6U);
  clock.advance(1s);
  EXPECT_EQ(refusal(*cache).code, CollateralError::unreachable);
  EXPECT_EQ(service.questions(), 6U);
  clock.advance(1s);
  service.set_answer(says(200, "body"));
  EXPECT_TRUE(cache->get(item_of("a"), start));
}

TEST_F(Service, a_passing_failure_is_not_seen) {
  const auto cache = make();
  std::atomic<int> left = 2;
  service.set_answer([&](const net::ServerRequest& request) {
    return left-- > 0 ? says(503, "")(request) : says(200, "body")(request);
  });
  EXPECT_TRUE(cache->get(item_of("a"), start));
  EXPECT_EQ(service.questions(), 3U);
}

TEST_F(Service, wrong_and_truncated_content_is_malformed_and_not_kept) {
  const auto cache = make();
  for (const auto* content : {"", "bod", "<html>", "body 1"}) {
    service.set_answer(says(200, content));
    EXPECT_EQ(refusal(*cache).code, CollateralError::malformed) << content;
  }
  service.set_answer(says(302, "", {{"Location", "http://127.0.0.1:1/"}}));
  EXPECT_EQ(refusal(*cache).code, CollateralError::malformed);
  service.set_answer(says(200, std::string(5U << 20, 'x')));
  EXPECT_EQ(refusal(*cache).code, CollateralError::malformed);
  service.set_answer(says(200, "body"));
  EXPECT_TRUE(cache->get(item_of("a"), start));
}

TEST_F(Service, a_slow_one_is_unreachable) {
  const auto cache = make(300ms);
  service.set_answer([](const net::ServerRequest& request) {
    std::this_thread::sleep_for(600ms);
    return says(200, "body")(request);
  });
  EXPECT_EQ(refusal(*cache).code, CollateralError::unreachable);
}

TEST_F(Service, attempts_and_pauses_stay_within_the_budget) {
  auto cache =
      CollateralCache::create({.base_urls = {{"amd-kds", service.url()}}, .budget = 400ms, .clock = &clock}).value();
  service.set_answer([](const net::ServerRequest& request) {
    std::this_thread::sleep_for(250ms);
    return says(500, "")(request);
  });
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(refusal(*cache).code, CollateralError::unreachable);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 2s);  // three attempts of 20 s before there was a budget
  EXPECT_LE(service.questions(), 2U);
}

TEST_F(Service, questions_that_share_a_deadline_take_no_longer_together) {
  const auto cache = make(20s);
  service.set_answer([](const net::ServerRequest& request) {
    std::this_thread::sleep_for(200ms);
    return says(200, "body")(request);
  });
  const auto deadline = std::chrono::steady_clock::now() + 300ms;
  unsigned had = 0;
  for (int i = 0; i < 8; ++i) {
    auto item = item_of(std::to_string(i));
    item.deadline = deadline;
    had += cache->get(item, clock.now()) ? 1 : 0;
  }
  EXPECT_LE(had, 1U);
  EXPECT_LT(std::chrono::steady_clock::now(), deadline + 2s);
}

TEST_F(Service, a_refresh_of_what_holds_still_is_not_worth_the_whole_wait) {
  const auto cache = make(2s);
  service.set_answer(says(200, body_between(start, start + 24h * 30)));
  ASSERT_TRUE(cache->get(item_of("a"), start));
  clock.advance(25h);
  service.set_answer([](const net::ServerRequest& request) {
    std::this_thread::sleep_for(1500ms);
    return says(200, "body")(request);
  });
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_TRUE(cache->get(item_of("a"), clock.now()));
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 1400ms);
}

TEST_F(Service, who_waits_for_anothers_question_waits_no_longer_than_for_an_own) {
  const auto cache = make(20s);
  std::atomic<bool> asked = false;
  std::atomic<bool> release = false;
  service.set_answer([&](const net::ServerRequest& request) {
    asked = true;
    asked.notify_all();
    release.wait(false);
    return says(200, "body")(request);
  });
  std::jthread patient{[&] { EXPECT_TRUE(cache->get(item_of("a"), start)); }};
  asked.wait(false);
  auto item = item_of("a");
  item.deadline = std::chrono::steady_clock::now() + 100ms;
  EXPECT_EQ(refusal(*cache, item).code, CollateralError::unreachable);
  EXPECT_EQ(service.questions(), 1U);
  release = true;
  release.notify_all();
}

TEST_F(Service, nobody_there_is_unreachable_and_an_unknown_service_as_well) {
  auto cache = CollateralCache::create(
                   {.base_urls = {{"amd-kds", "http://127.0.0.1:1"}}, .clock = &clock, .sleep = [](Duration) {}})
                   .value();
  EXPECT_EQ(refusal(*cache).code, CollateralError::unreachable);
  auto item = item_of("a");
  item.service = "nobody";
  EXPECT_EQ(refusal(*cache, item).code, CollateralError::unreachable);
  item.service = service.url() + "/";
  EXPECT_TRUE(cache->get(item, start));
}

TEST_F(Service, the_issuer_chain_comes_in_a_header) {
  const auto cache = make();
  auto item = item_of("a");
  item.chain_header = "Issuer-Chain";
  EXPECT_EQ(refusal(*cache, item).code, CollateralError::malformed);
  service.set_answer(says(200, "body", {{"Issuer-Chain", "a%"}}));
  EXPECT_EQ(refusal(*cache, item).code, CollateralError::malformed);
  service.set_answer(says(200, "body", {{"Issuer-Chain", net::percent_encode("-----BEGIN\nx")}}));
  const auto got = cache->get(item, start);
  ASSERT_TRUE(got) << to_string(got.error());
  EXPECT_EQ((*got)->issuer_chain, "-----BEGIN\nx");
}

TEST_F(Service, sixteen_threads_that_want_one_item_ask_once) {
  const auto cache = make();
  service.set_answer([](const net::ServerRequest& request) {
    std::this_thread::sleep_for(100ms);
    return says(200, "body")(request);
  });
  std::atomic<int> got = 0;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 16; ++i) {
      threads.emplace_back([&] { got += cache->get(item_of("a"), start).has_value() ? 1 : 0; });
    }
  }
  EXPECT_EQ(got, 16);
  EXPECT_EQ(service.questions(), 1U);
}

TEST_F(Service, a_failure_is_shared_by_those_who_wait_for_it) {
  const auto cache = make();
  service.set_answer([](const net::ServerRequest& request) {
    std::this_thread::sleep_for(100ms);
    return says(404, "")(request);
  });
  std::atomic<int> absent = 0;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 16; ++i) {
      threads.emplace_back([&] {
        const auto got = cache->get(item_of("a"), start);
        absent += !got && got.error().code == CollateralError::not_found ? 1 : 0;
      });
    }
  }
  EXPECT_EQ(absent, 16);
  EXPECT_EQ(service.questions(), 1U);
}

TEST_F(Service, a_slow_item_does_not_hold_up_others) {
  const auto cache = make();
  std::atomic<bool> release = false;
  service.set_answer([&](const net::ServerRequest& request) {
    if (request.path == "/items/slow") release.wait(false);
    return says(200, "body")(request);
  });
  std::jthread slow{[&] { EXPECT_TRUE(cache->get(item_of("slow"), start)); }};
  EXPECT_TRUE(cache->get(item_of("fast"), start));
  release = true;
  release.notify_all();
}

TEST_F(Service, many_items_at_once_ask_a_few_at_a_time) {
  const auto cache = make();
  std::atomic<int> running = 0;
  std::atomic<int> most = 0;
  service.set_answer([&](const net::ServerRequest& request) {
    const int now = ++running;
    for (int seen = most; now > seen && !most.compare_exchange_weak(seen, now);) {
    }
    std::this_thread::sleep_for(20ms);
    --running;
    return says(200, "body")(request);
  });
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 16; ++i) {
      threads.emplace_back([&, i] { EXPECT_TRUE(cache->get(item_of(std::to_string(i)), start)); });
    }
  }
  EXPECT_LE(most, 8);
  EXPECT_EQ(service.questions(), 16U);
}

}  // namespace
}  // namespace coffer::evidence
