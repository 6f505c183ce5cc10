#include "vm/child.h"

#include <gtest/gtest.h>

namespace coffer::vm {
namespace {

TEST(RunTool, returns_standard_output) {
  EXPECT_EQ(run_tool({"sh", "-c", "echo out; echo err >&2"}, "dash").value_or(""), "out\n");
}

TEST(RunTool, works_in_the_folder_it_is_given) {
  EXPECT_EQ(run_tool({"pwd"}, "coreutils", "/usr").value_or(""), "/usr\n");
}

TEST(RunTool, a_failure_tells_status_and_complaint) {
  const auto result = run_tool({"sh", "-c", "echo broken >&2; exit 3"}, "dash");
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode{VmError::tool_failed});
  EXPECT_NE(result.error().message.find("status 3: broken"), std::string::npos) << result.error().message;
}

TEST(RunTool, a_missing_tool_names_its_package) {
  const auto result = run_tool({"coffer-no-such-tool"}, "some-package");
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode{VmError::no_tool});
  EXPECT_NE(result.error().message.find("some-package"), std::string::npos);
}

TEST(RunTool, much_on_both_streams_does_not_block) {
  const auto result = run_tool({"sh", "-c", "head -c 300000 /dev/zero >&2; head -c 300000 /dev/zero"}, "dash");
  ASSERT_TRUE(result);
  EXPECT_EQ(result->size(), 300000U);
}

// Nobody else holds the pipe's write end, so it closes when the child is gone.
TEST(Child, ends_with_its_owner) {
  auto pipe = make_pipe();
  ASSERT_TRUE(pipe);
  {
    auto child = Child::start({"sleep", "600"}, "coreutils", {.output = pipe->write_end.get()});
    ASSERT_TRUE(child);
    pipe->write_end = FileDescriptor{};
    EXPECT_FALSE(child->ends_within(Duration{20}));
  }
  char byte = 0;
  EXPECT_EQ(::read(pipe->read_end.get(), &byte, 1), 0);
}

// proc(5): the fifth field of stat is the process group.
TEST(Child, has_a_process_group_of_its_own_where_asked) {
  for (const bool own : {false, true}) {
    auto child = Child::start({"sh", "-c", "read -r p n s q group rest </proc/$$/stat; test $group = $$"}, "dash",
                              {.own_group = own});
    ASSERT_TRUE(child);
    EXPECT_EQ(child->wait(), own ? 0 : 1);
  }
}

TEST(Child, tells_status_and_signal) {
  auto child = Child::start({"sh", "-c", "exit 4"}, "dash");
  ASSERT_TRUE(child);
  EXPECT_TRUE(child->ends_within(Duration{10'000}));
  EXPECT_EQ(child->wait(), 4);
  auto killed = Child::start({"sleep", "600"}, "coreutils");
  ASSERT_TRUE(killed);
  killed->kill();
  EXPECT_EQ(killed->wait(), 128 + 9);
}

}  // namespace
}  // namespace coffer::vm
