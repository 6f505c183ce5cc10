#include "fleet/worker/runtimes/guest_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/log.h"

namespace coffer::fleet::worker {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class GuestLogTest : public ::testing::Test {
 protected:
  GuestLogTest() { log::set_filter("info"); }
  // What `writes` and the end of it leave in the log.
  static std::string logged(GuestLog& guest, const std::vector<std::string_view>& writes) {
    ::testing::internal::CaptureStderr();
    const auto sink = guest.sink();
    for (const auto write : writes) EXPECT_TRUE(sink(as_bytes(write)));
    guest.finish();
    return ::testing::internal::GetCapturedStderr();
  }
};

TEST_F(GuestLogTest, has_what_a_task_writes_with_its_id_and_stream) {
  GuestLog guest("task-1", "stderr", 100);
  const auto text = logged(guest, {"hello", "world"});
  EXPECT_THAT(text, AllOf(HasSubstr("hello"), HasSubstr("world"), HasSubstr("task-1"), HasSubstr("stderr")));
  EXPECT_EQ(guest.missing(), 0U);
  EXPECT_THAT(text, Not(HasSubstr("guest_output_missing")));
}

TEST_F(GuestLogTest, ends_at_its_bound_and_says_how_much_is_missing) {
  GuestLog guest("task-1", "stdout", 4);
  const auto text = logged(guest, {"abc", "defg"});
  EXPECT_THAT(text, AllOf(HasSubstr("abc"), Not(HasSubstr("defg")), HasSubstr("guest_output_missing")));
  EXPECT_EQ(guest.missing(), 3U);
}

TEST_F(GuestLogTest, without_room_has_the_size_alone) {
  GuestLog guest("task-1", "stdout", 0);
  const auto text = logged(guest, {"secret"});
  EXPECT_THAT(text, AllOf(Not(HasSubstr("secret")), HasSubstr("bytes=6")));
}

}  // namespace
}  // namespace coffer::fleet::worker
