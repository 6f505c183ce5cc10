#include <gtest/gtest.h>

#include "workload/hal/hal_testing.h"

namespace coffer::workload::hal {
namespace {

using testing::bytes;
using testing::Guest;

struct Talking : Guest {
  Talking(const std::shared_ptr<Exchange>& exchange, const std::string& id, bool encrypted = false) {
    services.exchange = exchange;
    task.id = id;
    task.encrypted = encrypted;
    ok("communication", "receive-message");  // it is there
  }
};

const Value nobody = Value{codec::cbor::Array{}};

TEST(Communication, is_denied_unless_the_operator_allows_it) {
  Guest guest;
  EXPECT_EQ(guest.err("communication", "send-message", {"other", bytes("m"), false}), "hal.denied");
  EXPECT_EQ(guest.err("communication", "receive-message"), "hal.denied");
  EXPECT_EQ(guest.err("communication", "list-workloads"), "hal.denied");
}

TEST(Communication, messages_arrive_once_in_their_order) {
  const auto exchange = std::make_shared<Exchange>();
  Talking a(exchange, "a"), b(exchange, "b");
  EXPECT_EQ(a.ok("communication", "list-workloads"), (Value{codec::cbor::Array{"b"}}));
  const auto first = a.handle("communication", "send-message", {"b", bytes("one"), true});
  EXPECT_NE(a.handle("communication", "send-message", {"b", bytes("two"), false}), first);
  const auto received = b.ok("communication", "receive-message");
  ASSERT_EQ(received.if_array()->size(), 1U);
  EXPECT_EQ(received.if_array()->front(), record(field("sender", "a"), field("recipient", "b"),
                                                 field("payload", bytes("one")), field("encrypted", true)));
  EXPECT_EQ(*b.ok("communication", "receive-message").if_array()->front().find("payload"), bytes("two"));
  EXPECT_TRUE(b.ok("communication", "receive-message").is_null());
  EXPECT_TRUE(a.ok("communication", "receive-message").is_null());
}

TEST(Communication, encrypted_and_plain_tasks_know_nothing_of_each_other) {
  const auto exchange = std::make_shared<Exchange>();
  Talking plain(exchange, "plain"), secret(exchange, "secret", true), other(exchange, "other", true);
  EXPECT_EQ(plain.ok("communication", "list-workloads"), nobody);
  EXPECT_EQ(plain.err("communication", "send-message", {"secret", bytes("m"), false}), "hal.not_found");
  EXPECT_EQ(secret.err("communication", "send-message", {"plain", bytes("m"), false}), "hal.not_found");
  EXPECT_EQ(secret.ok("communication", "list-workloads"), (Value{codec::cbor::Array{"other"}}));
  secret.ok("communication", "send-message", {"other", bytes("m"), false});
  EXPECT_FALSE(other.ok("communication", "receive-message").is_null());
}

TEST(Communication, ends_with_the_task) {
  const auto exchange = std::make_shared<Exchange>();
  Talking a(exchange, "a");
  {
    const Talking b(exchange, "b");
  }
  EXPECT_EQ(a.ok("communication", "list-workloads"), nobody);
  EXPECT_EQ(a.err("communication", "send-message", {"b", bytes("m"), false}), "hal.not_found");
}

TEST(Communication, inboxes_are_bounded_in_number_and_size) {
  const auto exchange = std::make_shared<Exchange>();
  Talking a(exchange, "a"), b(exchange, "b"), c(exchange, "c");
  for (int i = 0; i < 64; ++i) a.ok("communication", "send-message", {"b", bytes(""), false});
  EXPECT_EQ(a.err("communication", "send-message", {"b", bytes(""), false}), "hal.limit");
  a.ok("communication", "send-message", {"c", Bytes(1U << 20), false});
  EXPECT_EQ(a.err("communication", "send-message", {"c", bytes("x"), false}), "hal.limit");
  c.ok("communication", "receive-message");
  a.ok("communication", "send-message", {"c", bytes("x"), false});
}

}  // namespace
}  // namespace coffer::workload::hal
