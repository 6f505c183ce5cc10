// elastic:hal/resources and elastic:hal/events: what a task is told of itself.
#include <gmock/gmock.h>

#include "workload/hal/hal_testing.h"

namespace coffer::workload::hal {
namespace {

using testing::bytes;
using testing::Guest;

Value request(std::string_view type, std::uint64_t amount) {
  return record(field("resource-type", std::string{type}), field("amount", amount), field("priority", 1));
}

TEST(Resources, are_the_tasks_own_limits) {
  Guest guest;
  guest.services.storage.max_size = std::uint64_t{5} << 20;
  EXPECT_EQ(guest.ok("resources", "query-available", {"memory"}), Value{64});
  EXPECT_EQ(guest.ok("resources", "query-available", {"storage"}), Value{5});
  EXPECT_EQ(guest.ok("resources", "query-available", {"network"}), Value{0});
  EXPECT_GE(guest.handle("resources", "query-available", {"cpu"}), 1U);
}

TEST(Resources, what_is_allocated_is_gone_until_it_is_given_back) {
  Guest guest;
  const auto granted = guest.ok("resources", "allocate", {request("memory", 40)});
  EXPECT_EQ(*granted.find("granted-amount"), Value{40});
  EXPECT_EQ(guest.ok("resources", "query-available", {"memory"}), Value{24});
  EXPECT_EQ(guest.err("resources", "allocate", {request("memory", 25)}), "hal.limit");
  const auto id = *granted.find("allocation-id");
  guest.ok("resources", "deallocate", {id});
  EXPECT_EQ(guest.ok("resources", "query-available", {"memory"}), Value{64});
  EXPECT_EQ(guest.err("resources", "deallocate", {id}), "hal.bad_handle");
}

TEST(Resources, allocations_are_bounded) {
  Guest guest;
  for (int i = 0; i < 256; ++i) guest.ok("resources", "allocate", {request("memory", 0)});
  EXPECT_EQ(guest.err("resources", "allocate", {request("memory", 0)}), "hal.limit");
}

TEST(Resources, other_types_and_requests_trap) {
  Guest guest;
  EXPECT_EQ(guest.trap("resources", "query-available", {"time"}), "hal.bad_arguments");
  EXPECT_EQ(guest.trap("resources", "allocate", {request("time", 1)}), "hal.bad_arguments");
  EXPECT_EQ(guest.trap("resources", "allocate", {"memory"}), "hal.bad_arguments");
}

TEST(Events, tell_subscribers_what_the_task_brought_about) {
  Guest guest;
  const auto storage = guest.handle("events", "subscribe", {"storage"});
  const auto crypto = guest.handle("events", "subscribe", {"crypto"});
  const auto container = guest.handle("storage", "create-container", {"c"});
  guest.ok("storage", "store-object", {container, "k", bytes("v")});
  guest.ok("crypto", "generate-keypair");
  const auto told = guest.ok("events", "poll-events", {storage});
  ASSERT_EQ(told.if_array()->size(), 1U);
  EXPECT_EQ(told.if_array()->front(), record(field("event-type", "storage"), field("timestamp", 1'700'000'000),
                                             field("payload", bytes(R"({"event":"stored","name":"c/k"})"))));
  EXPECT_TRUE(guest.ok("events", "poll-events", {storage}).if_array()->empty()) << "each is told once";
  EXPECT_EQ(guest.ok("events", "poll-events", {crypto}).if_array()->size(), 1U);
}

TEST(Events, the_oldest_make_way) {
  Guest guest;
  const auto handle = guest.handle("events", "subscribe", {"crypto"});
  for (int i = 0; i < 300; ++i) guest.ok("crypto", "generate-keypair");
  EXPECT_EQ(guest.ok("events", "poll-events", {handle}).if_array()->size(), 256U);
}

TEST(Events, subscriptions_are_bounded_and_end) {
  Guest guest;
  const auto first = guest.handle("events", "subscribe", {"gpu"});
  for (int i = 1; i < 64; ++i) guest.ok("events", "subscribe", {"gpu"});
  EXPECT_EQ(guest.err("events", "subscribe", {"gpu"}), "hal.limit");
  guest.ok("events", "unsubscribe", {first});
  EXPECT_EQ(guest.err("events", "unsubscribe", {first}), "hal.bad_handle");
  EXPECT_EQ(guest.err("events", "poll-events", {first}), "hal.bad_handle");
  EXPECT_EQ(guest.trap("events", "subscribe", {"weather"}), "hal.bad_arguments");
}

}  // namespace
}  // namespace coffer::workload::hal
