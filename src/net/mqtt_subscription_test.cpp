// Subscriptions that a client can do without, where the broker does not want them.
#include <gtest/gtest.h>

#include <semaphore>

#include "net/mqtt_testing.h"
#include "net/raw_socket_testing.h"

namespace coffer::net {
namespace {

using namespace std::chrono_literals;
using testing::expect_connected;
using testing::options_for;
using testing::Peer;
using testing::RawServer;
using testing::RawSocket;

// Packets of MQTT 3.1.1 (sections 3.2 and 3.9), as far as this test needs them.
std::string connack() {
  return {0x20, 0x02, 0x00, 0x00};
}
// The answer to a SUBSCRIBE for `filter`; its packet id stands before the filter's length.
std::string suback(const std::string& heard, std::string_view filter, char granted) {
  const auto place = heard.rfind(filter);
  return std::string{static_cast<char>(0x90), 0x03} + heard.substr(place - 4, 2) + granted;
}

TEST(MqttSubscription, an_optional_one_that_costs_the_connection_is_asked_for_twice_and_no_more) {
  std::atomic<int> asked = 0;
  std::binary_semaphore ended{0};
  RawServer broker([&](RawSocket& peer) {
    peer.receive_until("strict");
    peer.send(connack());
    peer.send(suback(peer.receive_until("required\x01"), "required", 1));
    if (asked < 2) {
      if (peer.receive_until("optional\x01").ends_with("optional\x01")) ++asked;
      return;
    }
    EXPECT_EQ(peer.receive_until("the end").find("optional"), std::string::npos);
    ended.release();
  });
  Peer peer{options_for("tcp://" + broker.address(), "strict")};
  ASSERT_TRUE(peer.client->subscribe("required", 1));
  ASSERT_TRUE(peer.client->subscribe("optional", 1, true));
  for (int i = 0; i < 1000 && peer.connected < 3; ++i) std::this_thread::sleep_for(10ms);
  ASSERT_EQ(peer.connected, 3);
  ASSERT_TRUE(peer.client->publish({.topic = "t", .payload = to_bytes("the end"), .qos = 0}));
  EXPECT_TRUE(ended.try_acquire_for(10s));
  EXPECT_EQ(asked, 2);
}

TEST(MqttSubscription, one_that_is_refused_is_counted_and_the_client_is_connected) {
  RawServer broker([](RawSocket& peer) {
    peer.receive_until("mild");
    peer.send(connack());
    peer.send(suback(peer.receive_until("optional\x01"), "optional", static_cast<char>(0x80)));
    peer.receive_all();
  });
  Peer peer{options_for("tcp://" + broker.address(), "mild")};
  ASSERT_TRUE(peer.client->subscribe("optional", 1, true));
  expect_connected(peer);
  for (int i = 0; i < 1000 && peer.client->statistics().subscriptions_refused == 0; ++i) {
    std::this_thread::sleep_for(10ms);
  }
  EXPECT_EQ(peer.client->statistics().subscriptions_refused, 1U);
  EXPECT_TRUE(peer.client->connected());
}

}  // namespace
}  // namespace coffer::net
