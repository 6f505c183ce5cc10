#include "fleet/manager/mqtt_outbox.h"

#include <gtest/gtest.h>

#include <semaphore>
#include <thread>

#include "fleet/manager/error.h"

namespace coffer::fleet::manager {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(Room, is_bounded_in_messages_and_in_bytes) {
  Room room(2, 100);
  EXPECT_TRUE(room.take(1, milliseconds{0}));
  EXPECT_TRUE(room.take(1, milliseconds{0}));
  EXPECT_FALSE(room.take(1, milliseconds{1}));
  room.give_back(1);
  EXPECT_FALSE(room.take(100, milliseconds{1}));
  EXPECT_TRUE(room.take(99, milliseconds{0}));
}

TEST(Room, lets_a_large_message_through_alone) {
  Room room(2, 100);
  EXPECT_TRUE(room.take(1000, milliseconds{0}));
  EXPECT_FALSE(room.take(0, milliseconds{1}));
  room.give_back(1000);
  EXPECT_TRUE(room.take(1, milliseconds{0}));
}

TEST(Room, who_waits_goes_on_when_there_is_room) {
  Room room(1, 100);
  ASSERT_TRUE(room.take(1, milliseconds{0}));
  std::binary_semaphore through{0};
  std::jthread waiting([&] {
    if (room.take(1, seconds{30})) through.release();
  });
  room.give_back(1);
  EXPECT_TRUE(through.try_acquire_for(seconds{10}));
}

TEST(MqttOutbox, without_a_client_nothing_is_sent) {
  MqttOutbox outbox(Topics::create("t", "c").value(), 2, seconds{1});
  EXPECT_FALSE(outbox.connected());
  EXPECT_EQ(outbox.send(Topic::start, "{}").error().code, ManagerError::broker_unavailable);
  bool told = false;
  EXPECT_EQ(outbox.post(Topic::start, "{}", [&](const Result<>&) { told = true; }).error().code,
            ManagerError::broker_unavailable);
  EXPECT_FALSE(told);
}

}  // namespace
}  // namespace coffer::fleet::manager
