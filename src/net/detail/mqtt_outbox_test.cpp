#include "net/detail/mqtt_outbox.h"

#include <gtest/gtest.h>

namespace coffer::net::detail {
namespace {

MqttMessage message(std::string text, int qos = 2) {
  return {.topic = "t", .payload = to_bytes(text), .qos = qos};
}

std::string next_text(Outbox& outbox) {
  const Outgoing* next = outbox.next();
  return next == nullptr ? "" : to_text(next->message.payload);
}

TEST(MqttOutbox, gives_out_no_more_than_may_be_on_their_way) {
  Outbox outbox{10, 1000, 2};
  for (const char* text : {"a", "b", "c"}) ASSERT_TRUE(outbox.push(message(text)));
  EXPECT_EQ(next_text(outbox), "a");
  outbox.sent(1);
  EXPECT_EQ(next_text(outbox), "b");
  outbox.sent(2);
  EXPECT_EQ(outbox.next(), nullptr);
  outbox.acknowledged(1, {});
  EXPECT_EQ(next_text(outbox), "c");
  outbox.acknowledged(77, {});  // nobody's
  EXPECT_EQ(outbox.size(), 2U);
  EXPECT_EQ(outbox.bytes(), 2U);
}

TEST(MqttOutbox, takes_back_what_was_on_its_way_in_order) {
  Outbox outbox{10, 1000, 9};
  auto lost = std::make_shared<Delivery>();
  for (const char* text : {"a", "b"}) ASSERT_TRUE(outbox.push(message(text)));
  ASSERT_TRUE(outbox.push(message("zero", 0), lost));
  ASSERT_TRUE(outbox.push(message("c")));
  for (const int id : {9, 4, 7}) {
    ASSERT_NE(outbox.next(), nullptr);
    outbox.sent(id);
  }
  outbox.connection_lost();
  EXPECT_EQ(lost->outcome->error().code, NetError::unreachable);
  std::string order;
  for (int id = 1; outbox.next() != nullptr; ++id) {
    order += next_text(outbox);
    outbox.sent(id);
  }
  EXPECT_EQ(order, "abc");
}

TEST(MqttOutbox, sends_one_at_a_time_when_connections_keep_breaking_and_drops_the_cause) {
  Outbox outbox{10, 1000, 9};
  auto cause = std::make_shared<Delivery>();
  ASSERT_TRUE(outbox.push(message("bad"), cause));
  ASSERT_TRUE(outbox.push(message("innocent")));
  for (unsigned attempt = 1; attempt <= Outbox::max_attempts; ++attempt) {
    int sent = 0;
    for (; outbox.next() != nullptr; ++sent) outbox.sent(sent);
    EXPECT_EQ(sent, attempt <= 2 ? 2 : 1);
    outbox.connection_lost();
  }
  EXPECT_EQ(cause->outcome->error().code, NetError::not_taken);
  EXPECT_EQ(next_text(outbox), "innocent");
}

TEST(MqttOutbox, tells_everyone_when_it_is_closed) {
  Outbox outbox{10, 1000, 1};
  auto first = std::make_shared<Delivery>();
  auto second = std::make_shared<Delivery>();
  ASSERT_TRUE(outbox.push(message("a"), first));
  ASSERT_TRUE(outbox.push(message("b"), second));
  outbox.next();
  outbox.sent(1);
  outbox.close(Error{NetError::cancelled, "stopped"});
  EXPECT_EQ(outbox.wait(*first, Duration{0})->error().code, NetError::cancelled);
  EXPECT_EQ(outbox.wait(*second, Duration{0})->error().code, NetError::cancelled);
  EXPECT_EQ(outbox.push(message("c")).error().code, NetError::cancelled);
  EXPECT_TRUE(outbox.empty());
}

TEST(MqttOutbox, calls_those_who_asked_for_it_once_and_without_its_lock) {
  Outbox outbox{10, 1000, 9};
  std::vector<std::string> told;
  const auto asking = [&](const std::string& name) {
    auto delivery = std::make_shared<Delivery>();
    delivery->done = [&told, &outbox, name](const Result<>& outcome) {
      told.push_back(name + (outcome ? "" : " " + std::string{outcome.error().code.name()}));
      EXPECT_LT(outbox.size(), 10U);  // takes the lock
    };
    return delivery;
  };
  ASSERT_TRUE(outbox.push(message("a"), asking("a")));
  ASSERT_TRUE(outbox.push(message("b", 0), asking("b")));
  ASSERT_TRUE(outbox.push(message("c"), asking("c")));
  for (const int id : {1, 2}) {
    outbox.next();
    outbox.sent(id);
  }
  outbox.acknowledged(1, {});
  EXPECT_EQ(told, (std::vector<std::string>{"a"}));
  outbox.connection_lost();
  outbox.close(Error{NetError::cancelled, "stopped"});
  EXPECT_EQ(told, (std::vector<std::string>{"a", "b net.unreachable", "c net.cancelled"}));
}

TEST(MqttOutbox, passes_on_what_the_broker_or_the_library_refuses) {
  Outbox outbox{10, 1000, 1};
  auto first = std::make_shared<Delivery>();
  auto second = std::make_shared<Delivery>();
  ASSERT_TRUE(outbox.push(message("a"), first));
  ASSERT_TRUE(outbox.push(message("b"), second));
  outbox.next();
  outbox.refused(Error{NetError::too_large, "too large"});
  EXPECT_EQ(first->outcome->error().code, NetError::too_large);
  outbox.next();
  outbox.sent(5);
  outbox.acknowledged(5, fail(NetError::not_authorized, "no"));
  EXPECT_EQ(second->outcome->error().code, NetError::not_authorized);
}

}  // namespace
}  // namespace coffer::net::detail
