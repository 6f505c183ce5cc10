#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <barrier>
#include <stdexcept>
#include <thread>
#include <utility>

#include "keyclient/fake_broker_testing.h"

namespace coffer::keyclient {
namespace {

codec::ResourceUri key_one() {
  return *codec::ResourceUri::from_path("default/key/k1");
}

// Runs `work` in `count` threads that start together.
template <class Work>
void together(unsigned count, const Work& work) {
  std::barrier start{static_cast<std::ptrdiff_t>(count)};
  std::vector<std::jthread> threads;
  threads.reserve(count);
  for (unsigned i = 0; i < count; ++i) {
    threads.emplace_back([&] {
      start.arrive_and_wait();
      work();
    });
  }
}

class SingleFlight : public testing::Test {
 protected:
  std::shared_ptr<HandshakeTokenSource> source(HandshakeOptions options = {}) {
    options.clock = &clock_;
    return *HandshakeTokenSource::create(quick(broker_.url()), attester_, std::move(options));
  }
  FakeBroker broker_;
  FakeAttester attester_;
  FixedClock clock_{system_clock().now()};
};

TEST_F(SingleFlight, concurrent_fetches_share_one_handshake) {
  auto tokens = source();
  auto client = *KbsResourceSource::create(quick(broker_.url()), tokens, Credential::cookie);
  std::atomic<unsigned> opened = 0;
  together(8, [&] { opened += client->fetch(key_one()).has_value() ? 1U : 0U; });
  EXPECT_EQ(opened, 8U);
  EXPECT_EQ(tokens->handshakes(), 1U);
  EXPECT_EQ(broker_.requests("auth"), 1U);
}

TEST_F(SingleFlight, those_who_waited_share_the_failure_too) {
  broker_.script("auth", [](const auto&) {
    std::this_thread::sleep_for(std::chrono::milliseconds{300});
    return json_response(404, ErrorInformation::make("PluginNotFound", "Plugin auth not found", "").serialize());
  });
  auto tokens = source();
  std::atomic<unsigned> failed = 0;
  together(6, [&] {
    const auto token = tokens->token();
    failed += !token && token.error().code == KeyClientError::no_attestation_service ? 1U : 0U;
  });
  EXPECT_EQ(failed, 6U);
  EXPECT_EQ(tokens->handshakes(), 1U);
}

TEST_F(SingleFlight, a_failure_is_not_kept) {
  broker_.script("auth", 404, "no");
  auto tokens = source();
  ASSERT_FALSE(tokens->token());
  broker_.script("auth", nullptr);
  EXPECT_TRUE(tokens->token());
  EXPECT_EQ(tokens->handshakes(), 2U);
}

TEST_F(SingleFlight, a_token_near_its_end_is_renewed_with_a_new_key) {
  auto tokens = source();
  const auto first = tokens->token();
  ASSERT_TRUE(first);
  clock_.advance(std::chrono::seconds{269});
  EXPECT_EQ(*tokens->token(), *first);
  clock_.advance(std::chrono::seconds{1});  // 30 seconds are left of 300
  const auto second = tokens->token();
  ASSERT_TRUE(second);
  EXPECT_NE(*second, *first);
  EXPECT_FALSE((*first)->tee_key->public_key() == (*second)->tee_key->public_key());
}

TEST_F(SingleFlight, a_short_token_is_still_used_while_it_lives) {
  broker_.token_lifetime = 20;
  auto tokens = source();
  ASSERT_TRUE(tokens->token());
  clock_.advance(std::chrono::seconds{10});
  ASSERT_TRUE(tokens->token());
  EXPECT_EQ(tokens->handshakes(), 1U);
}

TEST_F(SingleFlight, an_exception_ends_the_flight) {
  struct Thrower final : evidence::Attester {
    evidence::TeeKind kind() const override { return calm.kind(); }
    Result<codec::json::Value> attest(ByteView data) const override {
      if (!std::exchange(threw, true)) throw std::runtime_error("driver");
      return calm.attest(data);
    }
    FakeAttester calm;
    mutable bool threw = false;
  };
  const Thrower thrower;
  const auto tokens = *HandshakeTokenSource::create(quick(broker_.url()), thrower, {.clock = &clock_});
  EXPECT_THROW(static_cast<void>(tokens->token()), std::runtime_error);
  EXPECT_TRUE(tokens->token());
}

TEST_F(SingleFlight, a_wrong_clock_neither_kills_nor_prolongs_a_token) {
  for (const auto offset : {-86400, 86400}) {
    broker_.clock_offset = offset;
    auto tokens = source();
    const auto token = tokens->token();
    ASSERT_TRUE(token);
    EXPECT_EQ((*token)->expires, clock_.now() + std::chrono::seconds{300}) << offset;
    ASSERT_TRUE(tokens->token());
    EXPECT_EQ(tokens->handshakes(), 1U) << offset;
  }
}

TEST_F(SingleFlight, forgetting_an_old_token_leaves_the_new_one) {
  auto tokens = source();
  const auto first = *tokens->token();
  tokens->forget(*first);
  const auto second = *tokens->token();
  tokens->forget(*first);
  EXPECT_EQ(*tokens->token(), second);
  EXPECT_EQ(tokens->handshakes(), 2U);
}

TEST_F(SingleFlight, a_token_without_expiry_is_used_once) {
  broker_.script("attest", 200, R"({"token":"eyJhbGciOiJFUzI1NiJ9.e30.c2ln"})");
  auto tokens = source();
  ASSERT_TRUE(tokens->token());
  ASSERT_TRUE(tokens->token());
  EXPECT_EQ(tokens->handshakes(), 2U);
}

}  // namespace
}  // namespace coffer::keyclient
