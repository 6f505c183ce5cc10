#include "fleet/worker/runtimes/host_arguments.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace coffer::fleet::worker {
namespace {

using ::testing::HasSubstr;
using Words = std::vector<std::string>;

TEST(HostArguments, what_opens_nothing_is_taken) {
  for (const auto& words :
       {Words{}, {"-S", "nn"}, {"-Snn"}, {"--wasi=threads=y"}, {"-W", "simd", "-O", "opt-level=2"}}) {
    const auto checked = check_host_arguments(words);
    ASSERT_TRUE(checked) << to_string(checked.error());
    EXPECT_EQ(*checked, words);
  }
}

TEST(HostArguments, folders_networks_environment_and_what_is_unknown_are_refused_by_name) {
  for (const auto& words : {Words{"--dir=/"},
                            {"--dir", "/"},
                            {"-S", "inherit-network"},
                            {"-S", "inherit-env"},
                            {"-S"},
                            {"--env", "A=1"},
                            {"-S", "nn nn=y"},
                            {"-S", ""},
                            {"-S", "nn-graph=tensorflow::/etc"},
                            {"-W", "max-memory-size=0"},
                            {"-C", "cache"},
                            {"file.wasm"},
                            {"--"},
                            {"-Sinherit-network"},
                            {"--wasi", "nn", "--dir=."},
                            {"--argv0", "x"}}) {
    const auto checked = check_host_arguments(words);
    ASSERT_FALSE(checked) << words.front();
    EXPECT_EQ(checked.error().code, WorkerError::argument_refused);
  }
  EXPECT_THAT(check_host_arguments({"-S", "nn", "--dir=/"}).error().message, HasSubstr("--dir=/"));
}

}  // namespace
}  // namespace coffer::fleet::worker
