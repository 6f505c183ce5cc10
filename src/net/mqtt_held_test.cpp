// Acknowledgements that wait for their message's end, against a real mosquitto.
#include <gtest/gtest.h>

#include <semaphore>

#include "net/mosquitto_testing.h"
#include "net/mqtt_testing.h"

namespace coffer::net {
namespace {

using namespace std::chrono_literals;
using testing::expect_connected;
using testing::Mosquitto;
using testing::options_for;
using testing::Peer;
using testing::Wire;

MqttOptions holding(const std::string& address) {
  auto options = options_for(address, "holder");
  options.durable_session = true;
  options.hold_acknowledgements = true;
  return options;
}

struct HeldMessages : ::testing::Test {
  Mosquitto broker;
  std::unique_ptr<Peer> sender;

  void SetUp() override {
    broker.start();
    sender = std::make_unique<Peer>(options_for(broker.address(), "sender"));
    expect_connected(*sender);
  }
  std::unique_ptr<Peer> holder(const std::string& address, int qos = 1) {
    auto peer = std::make_unique<Peer>(holding(address));
    EXPECT_TRUE(peer->client->subscribe("t", qos));
    expect_connected(*peer);
    return peer;
  }
  void send(std::string_view text) {
    const auto sent = sender->client->publish_and_wait({.topic = "t", .payload = to_bytes(text)}, 10s);
    ASSERT_TRUE(sent) << to_string(sent.error());
  }
};

TEST_F(HeldMessages, come_again_where_the_process_ended_with_them) {
  auto peer = holder(broker.address());
  send("one");
  auto message = peer->receive().value();
  EXPECT_EQ(message.qos, 1);
  ASSERT_NE(message.receipt, nullptr);
  peer.reset();
  message.receipt.reset();  // too late
  auto again = holder(broker.address());
  EXPECT_EQ(as_text(again->receive().value().payload), "one");
}

TEST_F(HeldMessages, do_not_come_again_once_they_were_let_go) {
  {
    auto peer = holder(broker.address());
    send("one");
    peer->receive().value().receipt.reset();
    // What is sent after the acknowledgement has arrived after it.
    ASSERT_TRUE(peer->client->publish_and_wait({.topic = "u"}, 10s));
  }
  auto again = holder(broker.address());
  send("two");
  EXPECT_EQ(as_text(again->receive().value().payload), "two");
}

TEST_F(HeldMessages, hold_back_whatever_else_there_is_to_send) {
  auto peer = holder(broker.address());
  send("one");
  auto message = peer->receive().value();
  EXPECT_EQ(peer->client->publish_and_wait({.topic = "u"}, 200ms).error().code, NetError::timeout);
  std::binary_semaphore done{0};
  ASSERT_TRUE(peer->client->publish({.topic = "u"}, [&](const Result<>& sent) {
    EXPECT_TRUE(sent);
    done.release();
  }));
  message.receipt.reset();
  EXPECT_TRUE(done.try_acquire_for(10s));
}

TEST_F(HeldMessages, come_again_on_a_new_connection_and_the_old_receipts_hold_nothing_back) {
  Wire wire{broker.port()};
  auto peer = holder(wire.address());
  send("one");
  const auto first = peer->receive().value();
  wire.cut();
  const auto second = peer->receive();
  ASSERT_TRUE(second);
  EXPECT_EQ(as_text(second->payload), "one");
  EXPECT_EQ(first.payload, second->payload);
}

TEST_F(HeldMessages, of_other_qualities_have_no_receipt) {
  auto peer = holder(broker.address(), 2);
  send("two");
  EXPECT_EQ(peer->receive().value().receipt, nullptr);
  ASSERT_TRUE(sender->client->publish({.topic = "t", .qos = 0}));
  EXPECT_EQ(peer->receive().value().receipt, nullptr);
}

TEST_F(HeldMessages, are_bounded_where_the_broker_has_no_bound) {
  broker.kill();
  broker.set_settings("allow_anonymous true\nmax_inflight_messages 0\n");
  broker.start();
  expect_connected(*sender);
  auto peer = holder(broker.address());
  std::vector<MqttMessage> held;
  for (int i = 0; i < 200; ++i) send(std::to_string(i));
  while (auto message = peer->receive(300ms)) held.push_back(std::move(*message));
  EXPECT_LT(held.size(), 200U);
  EXPECT_GE(held.size(), 64U);
  const auto before = held.size();
  held.clear();
  for (auto number = before; number < 200; ++number) {
    EXPECT_EQ(as_text(peer->receive().value().payload), std::to_string(number));
  }
}

}  // namespace
}  // namespace coffer::net
