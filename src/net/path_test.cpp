#include "net/path.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace coffer::net {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(Path, segments_are_what_stands_between_slashes) {
  EXPECT_THAT(path_segments("/tasks/7/start"), ElementsAre("tasks", "7", "start"));
  EXPECT_THAT(path_segments("tasks//7/"), ElementsAre("tasks", "7"));
  EXPECT_THAT(path_segments("/a%2Fb"), ElementsAre("a%2Fb"));
  EXPECT_THAT(path_segments("///"), IsEmpty());
  EXPECT_THAT(path_segments(""), IsEmpty());
}

TEST(Path, a_pattern_wants_each_of_its_segments_and_no_more) {
  EXPECT_TRUE(path_matches("/tasks/*/start", path_segments("/tasks/7/start")));
  EXPECT_FALSE(path_matches("/tasks/*/start", path_segments("/tasks/7/stop")));
  EXPECT_FALSE(path_matches("/tasks/*/start", path_segments("/tasks/7")));
  EXPECT_FALSE(path_matches("/tasks/*", path_segments("/tasks/7/start")));
  EXPECT_TRUE(path_matches("/", path_segments("")));
}

}  // namespace
}  // namespace coffer::net
