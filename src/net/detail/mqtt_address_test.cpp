#include "net/detail/mqtt_address.h"

#include <gtest/gtest.h>

namespace coffer::net::detail {
namespace {

TEST(MqttAddresses, are_read_with_each_of_upstreams_schemes) {
  for (const std::string scheme : {"tcp://", "mqtt://", ""}) {
    const auto address = MqttAddress::parse(scheme + "broker.example");
    ASSERT_TRUE(address) << scheme;
    EXPECT_EQ(address->text(), "broker.example:1883");
    EXPECT_FALSE(address->tls);
  }
  for (const std::string scheme : {"ssl://", "tls://", "mqtts://"}) {
    const auto address = MqttAddress::parse(scheme + "broker.example");
    ASSERT_TRUE(address) << scheme;
    EXPECT_EQ(address->text(), "broker.example:8883");
    EXPECT_TRUE(address->tls);
  }
  EXPECT_EQ(MqttAddress::parse("tcp://[::1]:1884")->text(), "[::1]:1884");
  EXPECT_EQ(MqttAddress::parse("localhost:1884")->port, 1884);
}

TEST(MqttAddresses, are_refused_where_they_say_more_or_less_than_host_and_port) {
  for (const std::string text :
       {"", "tcp://", "ws://h", "tcp://h/x", "tcp://h?x", "tcp://u:p@h", "tcp://h:99999", "tcp://h:", "tcp://a b"}) {
    const auto address = MqttAddress::parse(text);
    ASSERT_FALSE(address) << text;
    EXPECT_EQ(address.error().code, NetError::bad_url) << text;
  }
}

TEST(MqttAddresses, that_no_resolver_knows_are_said_to_be_unresolved) {
  const auto numbers = resolve({.host = "no-such-host.invalid"});
  ASSERT_FALSE(numbers);
  EXPECT_EQ(numbers.error().code, NetError::unresolved);
  EXPECT_EQ(resolve({.host = "127.0.0.1"}).value(), std::vector<std::string>{"127.0.0.1"});
}

}  // namespace
}  // namespace coffer::net::detail
