#include "fleet/worker/unsent_result.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fleet/results.h"
#include "net/error.h"

namespace coffer::fleet::worker {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

const Error too_big{net::NetError::not_taken, "the connection broke each time"};

TaskResult large() {
  TaskResult result{.task_id = "t", .proplet_id = "p", .results = std::string(5000, 'x')};
  result.details = {
      .stdout_text = std::string(5000, 'x'), .exit_code = 0, .module_digest = "sha256:1", .signature = "s"};
  return result;
}

TEST(UnsentResult, is_the_tasks_failure_without_what_made_it_large) {
  const auto text = unsent_result(Topic::results, to_json(large()), too_big);
  ASSERT_TRUE(text);
  EXPECT_LT(text->size(), surely_taken);
  const auto said = parse_task_result(*text);
  ASSERT_TRUE(said);
  EXPECT_EQ(said->task_id, "t");
  EXPECT_EQ(said->proplet_id, "p");
  EXPECT_EQ(said->details.code, "worker.result_not_sent");
  EXPECT_THAT(*said->error, HasSubstr("the connection broke each time"));
  EXPECT_EQ(said->details.module_digest, "sha256:1");
  EXPECT_THAT(said->details.signature, IsEmpty());
  EXPECT_THAT(said->details.stdout_text, IsEmpty());
}

TEST(UnsentResult, of_an_invocation_names_it) {
  const InvokeResult answer{.task_id = "t", .invocation_id = "i", .proplet_id = "p", .results = std::string(5000, 'x')};
  const auto text = unsent_result(Topic::invoke_results, to_json(answer), too_big);
  ASSERT_TRUE(text);
  const auto said = parse_invoke_result(*text);
  ASSERT_TRUE(said);
  EXPECT_EQ(said->invocation_id, "i");
  EXPECT_EQ(said->details.code, "worker.result_not_sent");
}

TEST(UnsentResult, is_said_once_and_of_results_alone) {
  const auto text = unsent_result(Topic::results, to_json(large()), too_big);
  ASSERT_TRUE(text);
  EXPECT_FALSE(unsent_result(Topic::results, *text, too_big));
  EXPECT_FALSE(unsent_result(Topic::alive, to_json(large()), too_big));
  EXPECT_FALSE(unsent_result(Topic::results, "no result", too_big));
}

}  // namespace
}  // namespace coffer::fleet::worker
