// The client against a real mosquitto.
#include "net/mqtt.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>

#include "codec/base64.h"
#include "crypto/hash.h"
#include "net/mosquitto_testing.h"
#include "net/mqtt_testing.h"

namespace coffer::net {
namespace {

using namespace std::chrono_literals;
using testing::expect_connected;
using ::testing::HasSubstr;
using testing::Mosquitto;
using testing::options_for;
using testing::Peer;
using testing::Wire;

TEST(Mqtt, carries_messages_of_every_quality_in_order) {
  Mosquitto broker;
  broker.start();
  for (const auto version : {MqttOptions::Version::v3_1_1, MqttOptions::Version::v5}) {
    auto options = options_for(broker.address(), "a");
    options.version = version;
    Peer peer{std::move(options)};
    ASSERT_TRUE(peer.client->subscribe("t/#"));
    expect_connected(peer);
    for (int number = 0; number < 60; ++number)
      ASSERT_TRUE(peer.client->publish({.topic = "t/x", .payload = to_bytes(std::to_string(number)), .qos = 2}));
    for (int number = 0; number < 60; ++number)
      EXPECT_EQ(as_text(peer.receive().value().payload), std::to_string(number));
    for (int qos = 0; qos < 3; ++qos) {
      ASSERT_TRUE(peer.client->publish_and_wait({.topic = "t/y", .payload = Bytes(1000), .qos = qos}, 5s));
      EXPECT_EQ(peer.receive().value().qos, qos);
    }
    const auto statistics = peer.client->statistics();
    EXPECT_EQ(statistics.messages_out, 63U);
    EXPECT_EQ(statistics.messages_in, 63U);
    EXPECT_EQ(statistics.bytes_in, 3000U + 10 + 100);
    EXPECT_EQ(statistics.queued, 0U);
    EXPECT_EQ(peer.connected, 1);
  }
}

TEST(Mqtt, carries_a_message_of_megabytes) {
  Mosquitto broker;
  broker.start();
  Peer peer{options_for(broker.address(), "a")};
  ASSERT_TRUE(peer.client->subscribe("big"));
  expect_connected(peer);
  const Bytes big(5U << 20, std::byte{7});
  ASSERT_TRUE(peer.client->publish_and_wait({.topic = "big", .payload = big}, 30s));
  EXPECT_EQ(peer.receive(30s).value().payload, big);
}

TEST(Mqtt, comes_back_after_the_broker_does_and_still_listens) {
  Mosquitto broker;
  broker.start();
  Peer peer{options_for(broker.address(), "a")};
  ASSERT_TRUE(peer.client->subscribe("t"));
  expect_connected(peer);
  broker.kill();
  ASSERT_TRUE(peer.wait_for_error());
  EXPECT_FALSE(peer.client->connected());
  ASSERT_TRUE(peer.client->publish({.topic = "t", .payload = to_bytes("queued while away")}));
  broker.start();
  EXPECT_EQ(as_text(peer.receive().value().payload), "queued while away");
  EXPECT_EQ(peer.client->statistics().reconnects, 1U);
  EXPECT_GE(peer.client->statistics().connects, 2U);
}

TEST(Mqtt, starts_before_its_broker) {
  Mosquitto broker;
  Peer peer{options_for(broker.address(), "a")};
  ASSERT_TRUE(peer.client->subscribe("t"));
  EXPECT_EQ(peer.wait_for_error().value().code, NetError::refused);
  const auto waited = peer.client->wait_connected(1ms);
  EXPECT_EQ(waited.error().code, NetError::timeout);
  EXPECT_THAT(waited.error().message, HasSubstr("refused"));
  broker.start();
  expect_connected(peer);
  EXPECT_GE(peer.client->statistics().failed_connects, 1U);
}

TEST(Mqtt, finds_what_came_while_it_was_away_where_its_session_is_durable) {
  Mosquitto broker;
  broker.start();
  Peer sender{options_for(broker.address(), "s")};
  expect_connected(sender);
  for (const bool durable : {true, false}) {
    auto options = options_for(broker.address(), durable ? "kept" : "clean");
    options.durable_session = durable;
    {
      auto own = options_for(broker.address(), options.client_id);
      own.durable_session = durable;
      Peer listener{std::move(own)};
      ASSERT_TRUE(listener.client->subscribe("kept"));
      ASSERT_TRUE(listener.client->subscribe("fleeting", 0));
      expect_connected(listener);
    }
    for (const auto* topic : {"fleeting", "kept"}) {
      ASSERT_TRUE(sender.client->publish_and_wait({.topic = topic, .payload = to_bytes(topic)}, 10s));
    }
    Peer again{std::move(options)};
    expect_connected(again);
    const auto message = again.receive(durable ? 10s : 300ms);
    ASSERT_EQ(message.has_value(), durable);
    if (message) EXPECT_EQ(message->topic, "kept");
    EXPECT_FALSE(again.receive(200ms));
  }
}

TEST(Mqtt, sends_again_what_a_cut_connection_did_not_deliver) {
  Mosquitto broker;
  broker.start();
  Wire wire{broker.port()};
  Peer sender{options_for(wire.address(), "s")};
  Peer listener{options_for(broker.address(), "l")};
  ASSERT_TRUE(listener.client->subscribe("t"));
  expect_connected(listener);
  expect_connected(sender);
  wire.hold(true);
  for (int number = 0; number < 30; ++number)
    ASSERT_TRUE(sender.client->publish({.topic = "t", .payload = to_bytes(std::to_string(number)), .qos = 2}));
  wire.cut();
  wire.hold(false);
  for (int number = 0; number < 30; ++number)
    EXPECT_EQ(as_text(listener.receive().value().payload), std::to_string(number));
}

TEST(Mqtt, tells_who_waits_for_a_lost_message_of_quality_zero_and_keeps_the_others) {
  Mosquitto broker;
  Peer peer{options_for(broker.address(), "a")};
  const auto outcome = peer.client->publish_and_wait({.topic = "t"}, 50ms);
  EXPECT_EQ(outcome.error().code, NetError::timeout);
  EXPECT_EQ(peer.client->statistics().queued, 1U);
  ASSERT_TRUE(peer.client->subscribe("t"));
  broker.start();
  EXPECT_TRUE(peer.receive());
}

TEST(Mqtt, bounds_what_waits) {
  auto options = options_for("tcp://127.0.0.1:1", "a");
  options.max_queue = 3;
  options.max_queue_bytes = 100;
  Peer peer{std::move(options)};
  EXPECT_EQ(peer.client->publish({.topic = "t", .payload = Bytes(101)}).error().code, NetError::queue_full);
  for (int number = 0; number < 3; ++number) EXPECT_TRUE(peer.client->publish({.topic = "t", .payload = Bytes(10)}));
  EXPECT_EQ(peer.client->publish({.topic = "t"}).error().code, NetError::queue_full);
  const auto statistics = peer.client->statistics();
  EXPECT_EQ(statistics.queue_refusals, 2U);
  EXPECT_EQ(statistics.queued, 3U);
  EXPECT_EQ(statistics.queued_bytes, 30U);
}

TEST(Mqtt, refuses_what_the_protocol_cannot_carry) {
  Peer peer{options_for("tcp://127.0.0.1:1", "a")};
  for (const std::string topic : {"", "a/+", "a/#", "\xFF"})
    EXPECT_EQ(peer.client->publish({.topic = topic}).error().code, NetError::bad_message) << topic;
  EXPECT_EQ(peer.client->publish({.topic = std::string("a\0b", 3)}).error().code, NetError::bad_message);
  EXPECT_EQ(peer.client->publish({.topic = "t", .qos = 3}).error().code, NetError::bad_message);
  EXPECT_EQ(peer.client->subscribe("a/#/b").error().code, NetError::bad_message);
  EXPECT_EQ(peer.client->subscribe("a", 3).error().code, NetError::bad_message);
}

TEST(Mqtt, refuses_options_that_can_never_work) {
  const auto code = [](MqttOptions options) {
    return MqttClient::start(std::move(options), {.on_message = [](MqttMessage) {}}).error().code;
  };
  for (const std::string address : {"", "http://x", "tcp://", "tcp://a b", "tcp://h:0", "tcp://h/path", "ws://h:1"})
    EXPECT_EQ(code({.address = address}), NetError::bad_configuration) << address;
  EXPECT_EQ(code({.last_will = MqttMessage{.topic = "#"}}), NetError::bad_configuration);
  EXPECT_EQ(code({.address = "ssl://h", .tls = {.ca_file = "/nonexistent"}}), NetError::bad_configuration);
  EXPECT_EQ(code({.address = "ssl://h", .tls = {.certificate_file = "/nonexistent"}}), NetError::bad_configuration);
  EXPECT_EQ(code({.address = "ssl://h", .tls = {.certificate_file = "/nonexistent", .key_file = "/nonexistent"}}),
            NetError::bad_configuration);
  EXPECT_EQ(MqttClient::start({}, {}).error().code, NetError::bad_configuration);
}

// A line of mosquitto_passwd's older form: base64 of the salt and of SHA-512 over password and salt.
std::string password_line(const std::string& user, const std::string& password) {
  const std::string salt = "saltsaltsalt";
  const Bytes digest = crypto::hash(crypto::HashAlgorithm::sha512, as_bytes(password + salt));
  return user + ":$6$" + codec::base64_encode(as_bytes(salt)) + "$" + codec::base64_encode(digest) + "\n";
}

TEST(Mqtt, shows_its_password_and_says_when_it_is_wrong) {
  Mosquitto broker{"allow_anonymous false\npassword_file $DIR/passwords\n"};
  broker.files().write("passwords", password_line("user", "secret"));
  broker.start();
  for (const auto version : {MqttOptions::Version::v3_1_1, MqttOptions::Version::v5}) {
    const auto options = [&](std::string_view password) {
      auto wanted = options_for(broker.address(), "a");
      wanted.username = "user";
      wanted.password = SecretBytes::copy_of(password);
      wanted.version = version;
      return wanted;
    };
    Peer stranger{options("wrong")};
    const auto why = stranger.wait_for_error().value();
    EXPECT_EQ(why.code, NetError::not_authorized) << why.message;
    EXPECT_THAT(why.message, Not(HasSubstr("wrong")));
    stranger.client->stop();
    Peer known{options("secret")};
    expect_connected(known);
  }
}

TEST(Mqtt, drops_what_is_over_its_largest_packet_and_goes_on) {
  Mosquitto broker;
  broker.start();
  Peer sender{options_for(broker.address(), "s")};
  auto options = options_for(broker.address(), "l");
  options.max_packet_size = 1000;
  Peer listener{std::move(options)};
  ASSERT_TRUE(listener.client->subscribe("t"));
  expect_connected(listener);
  ASSERT_TRUE(sender.client->publish({.topic = "t", .payload = Bytes(1001)}));
  ASSERT_TRUE(sender.client->publish({.topic = "t", .payload = to_bytes("small")}));
  EXPECT_EQ(as_text(listener.receive().value().payload), "small");
  EXPECT_EQ(listener.client->statistics().dropped_in, 1U);
}

TEST(Mqtt, gives_up_the_message_that_breaks_the_connection_and_delivers_those_behind_it) {
  Mosquitto broker{"allow_anonymous true\nmax_packet_size 2000\n"};
  broker.start();
  auto options = options_for(broker.address(), "a");
  options.max_reconnect_delay = 40ms;
  Peer peer{std::move(options)};
  ASSERT_TRUE(peer.client->subscribe("t"));
  expect_connected(peer);
  ASSERT_TRUE(peer.client->publish({.topic = "t", .payload = to_bytes("before")}));
  ASSERT_TRUE(peer.client->publish({.topic = "t", .payload = Bytes(3000)}));
  ASSERT_TRUE(peer.client->publish({.topic = "t", .payload = to_bytes("behind")}));
  std::string seen;
  while (const auto message = peer.receive(20s)) {
    seen = as_text(message->payload);
    if (seen == "behind") break;
  }
  EXPECT_EQ(seen, "behind");
  EXPECT_EQ(peer.client->statistics().queued, 0U);
}

TEST(Mqtt, does_not_fight_over_a_client_id_at_full_speed) {
  Mosquitto broker;
  broker.start();
  Peer first{options_for(broker.address(), "same")};
  expect_connected(first);
  Peer second{options_for(broker.address(), "same")};
  ASSERT_TRUE(first.wait_for_error());
  std::this_thread::sleep_for(1s);  // to count what happens meanwhile
  const auto connects = first.client->statistics().connects + second.client->statistics().connects;
  EXPECT_GE(connects, 2U);
  EXPECT_LE(connects, 40U);
}

TEST(Mqtt, leaves_a_last_will_only_when_it_did_not_say_goodbye) {
  Mosquitto broker;
  broker.start();
  Wire wire{broker.port()};
  Peer listener{options_for(broker.address(), "l")};
  ASSERT_TRUE(listener.client->subscribe("will"));
  expect_connected(listener);
  auto options = options_for(wire.address(), "w");
  options.last_will = MqttMessage{.topic = "will", .payload = to_bytes("gone"), .qos = 0};
  {
    Peer polite{{.address = options.address, .client_id = "p", .last_will = options.last_will}};
    expect_connected(polite);
    polite.client->stop();
  }
  Peer rude{std::move(options)};
  expect_connected(rude);
  wire.cut();
  EXPECT_EQ(as_text(listener.receive().value().payload), "gone");
  EXPECT_FALSE(listener.receive(100ms));
}

TEST(Mqtt, drains_its_queue_when_it_is_asked_to_while_stopping) {
  Mosquitto broker;
  broker.start();
  Peer listener{options_for(broker.address(), "l")};
  ASSERT_TRUE(listener.client->subscribe("t"));
  expect_connected(listener);
  Peer sender{options_for(broker.address(), "s")};
  for (int number = 0; number < 50; ++number) ASSERT_TRUE(sender.client->publish({.topic = "t"}));
  sender.client->stop(10s);
  EXPECT_EQ(sender.client->statistics().queued, 0U);
  for (int number = 0; number < 50; ++number) EXPECT_TRUE(listener.receive());
  EXPECT_EQ(sender.client->publish({.topic = "t"}).error().code, NetError::cancelled);
}

TEST(Mqtt, stops_at_once_wherever_it_is) {
  Mosquitto broker;
  broker.start();
  broker.signal(SIGSTOP);  // takes connections, answers nothing
  Peer silent{options_for(broker.address(), "a")};
  Peer refused{options_for("tcp://127.0.0.1:1", "b")};
  const auto outcome = silent.client->publish({.topic = "t"});
  ASSERT_TRUE(refused.wait_for_error());
  const auto began = std::chrono::steady_clock::now();
  silent.client->stop();
  refused.client->stop();
  EXPECT_LT(std::chrono::steady_clock::now() - began, 2s);
}

TEST(Mqtt, gives_up_on_a_broker_that_does_not_answer) {
  Mosquitto broker;
  broker.start();
  broker.signal(SIGSTOP);
  auto options = options_for(broker.address(), "a");
  options.connect_timeout = 100ms;
  Peer peer{std::move(options)};
  EXPECT_EQ(peer.wait_for_error().value().code, NetError::timeout);
}

TEST(Mqtt, stays_connected_where_a_topic_is_closed_to_it) {
  Mosquitto broker{"allow_anonymous true\nacl_file $DIR/acl\n"};
  broker.files().write("acl", "topic readwrite open\n");
  broker.start();
  Peer peer{options_for(broker.address(), "a")};
  ASSERT_TRUE(peer.client->subscribe("open"));
  expect_connected(peer);
  ASSERT_TRUE(peer.client->publish({.topic = "closed"}));
  ASSERT_TRUE(peer.client->publish({.topic = "open", .payload = to_bytes("x")}));
  EXPECT_EQ(as_text(peer.receive().value().payload), "x");
}

TEST(Mqtt, does_not_let_a_handler_wait_for_itself) {
  Mosquitto broker;
  broker.start();
  std::atomic<bool> refused = false;
  std::unique_ptr<MqttClient> client;
  std::atomic<MqttClient*> self = nullptr;
  MqttHandlers handlers{.on_message = [&](MqttMessage) {
    refused = self.load()->publish_and_wait({.topic = "t"}, 1s).error().code == NetError::bad_configuration;
    refused.notify_all();
  }};
  client = *MqttClient::start(options_for(broker.address(), "a"), std::move(handlers));
  self = client.get();
  ASSERT_TRUE(client->subscribe("t"));
  ASSERT_TRUE(client->publish({.topic = "t"}));
  refused.wait(false);
  client.reset();
}

}  // namespace
}  // namespace coffer::net
