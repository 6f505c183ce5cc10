#include "workload/hal/address_list.h"

#include <gtest/gtest.h>

#include "workload/hal/hal_testing.h"

namespace coffer::workload::hal {
namespace {

using testing::addresses;

bool allows(const AddressList& list, std::string_view ip, std::uint16_t port) {
  return list.contains(*SocketAddress::parse(ip, port));
}

TEST(AddressList, without_entries_holds_nothing) {
  EXPECT_FALSE(allows({}, "127.0.0.1", 80));
}

TEST(AddressList, an_entry_is_one_address_and_port) {
  const auto list = addresses({"127.0.0.1:80", "[::1]:443"});
  EXPECT_TRUE(allows(list, "127.0.0.1", 80));
  EXPECT_FALSE(allows(list, "127.0.0.1", 81));
  EXPECT_FALSE(allows(list, "127.0.0.2", 80));
  EXPECT_TRUE(allows(list, "::1", 443));
  EXPECT_FALSE(allows(list, "::1", 80));
}

TEST(AddressList, networks_hold_by_their_bits_and_any_port_by_a_star) {
  const auto list = addresses({"10.1.128.0/17:*", "[2001:db8::]/33:5", "192.0.2.7/0:9"});
  EXPECT_TRUE(allows(list, "10.1.128.0", 1));
  EXPECT_TRUE(allows(list, "10.1.255.255", 65535));
  EXPECT_FALSE(allows(list, "10.1.127.255", 1));
  EXPECT_TRUE(allows(list, "2001:db8:7fff::1", 5));
  EXPECT_FALSE(allows(list, "2001:db8:8000::1", 5));
  EXPECT_TRUE(allows(list, "8.8.8.8", 9));
  EXPECT_FALSE(allows(list, "::1", 9)) << "an IPv4 network holds no IPv6 address";
}

TEST(AddressList, a_mapped_address_is_the_ipv4_address) {
  EXPECT_TRUE(allows(addresses({"127.0.0.1:80"}), "::ffff:127.0.0.1", 80));
  EXPECT_FALSE(allows(addresses({"[::]/0:80"}), "::ffff:127.0.0.1", 80));
}

TEST(AddressList, what_is_no_address_is_refused_by_name) {
  for (const auto* wrong :
       {"", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:x", "localhost:80", "::1:80", "[127.0.0.1]:80",
        "127.0.0.1/33:80", "[::1]/129:80", "127.0.0.1/:80", "127.0.0.1/8x:80", "[::1:80", "[]:80"}) {
    const std::vector<std::string> entries{wrong};
    const auto list = AddressList::parse(entries);
    ASSERT_FALSE(list) << wrong;
    EXPECT_EQ(list.error().code, HalError::bad_value);
    EXPECT_NE(list.error().message.find(wrong), std::string::npos);
  }
}

TEST(SocketAddress, is_written_as_it_is_read) {
  EXPECT_EQ(SocketAddress::parse("127.0.0.1", 80)->text(), "127.0.0.1:80");
  EXPECT_EQ(SocketAddress::parse("2001:DB8::1", 80)->text(), "[2001:db8::1]:80");
  EXPECT_FALSE(SocketAddress::parse("example.org", 80));
  EXPECT_FALSE(SocketAddress::parse(std::string_view{"127.0.0.1\0x", 11}, 80));
}

}  // namespace
}  // namespace coffer::workload::hal
