// Plugins as testdata/plugin.wat has them, and files that are none.
#include "fleet/worker/plugins/plugins.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <thread>

#include "testing/temporary_directory.h"
#include "workload/wasm_modules_testing.h"

namespace coffer::fleet::worker {
namespace {

using ::testing::HasSubstr;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

std::string good_plugin() {
  std::ifstream stream(COFFER_WORKER_TESTDATA "/plugin.wasm", std::ios::binary);
  return {std::istreambuf_iterator<char>{stream}, {}};
}

class PluginsTest : public ::testing::Test {
 protected:
  PluginsTest() {
    if (!engine_) throw std::runtime_error(to_string(engine_.error()));
  }
  Result<std::unique_ptr<Plugins>> load(Duration call_time = std::chrono::seconds{20}) {
    return Plugins::load(*engine_, folder_.path(), {.call_time = call_time});
  }
  std::unique_ptr<Plugins> plugins(Duration call_time = std::chrono::seconds{20}) {
    folder_.write("a.wasm", good_plugin());
    auto loaded = load(call_time);
    EXPECT_TRUE(loaded) << to_string(loaded.error());
    return loaded ? std::move(*loaded) : nullptr;
  }
  std::string refusal() {
    const auto loaded = load();
    if (loaded) return "";
    EXPECT_EQ(loaded.error().code, WorkerError::bad_plugin);
    return loaded.error().message;
  }
  static StartCommand task(const std::string& name, const std::string& id = "1") {
    return {.id = id, .name = name, .image_url = "registry/image:1", .cli_args = {"--x"}, .env = {{"A", "B"}}};
  }
  static auto counts(char started, char ended, char failed) {
    return UnorderedElementsAre(Pair("PLUGIN", "yes"), Pair("STARTED", std::string{started}),
                                Pair("ENDED", std::string{ended}), Pair("FAILED", std::string{failed}));
  }

  TemporaryDirectory folder_;
  Result<wasm::Runtime> engine_ = wasm::Runtime::create({.max_instances = 32});
};

TEST_F(PluginsTest, allow_or_deny_with_their_reason) {
  const auto plugins = this->plugins();
  EXPECT_TRUE(plugins->authorize(task("add")));
  const auto denied = plugins->authorize(task("deny me"));
  ASSERT_FALSE(denied);
  EXPECT_EQ(denied.error().code, WorkerError::plugin_denied);
  EXPECT_EQ(denied.error().message, "not on my machine");
  EXPECT_EQ(plugins->authorize(task("quietly")).error().message, "denied by plugin");
}

TEST_F(PluginsTest, one_that_traps_denies_and_is_made_anew) {
  const auto plugins = this->plugins();
  plugins->task_starts(task("add"), {});
  const auto trapped = plugins->authorize(task("trap"));
  ASSERT_FALSE(trapped);
  EXPECT_EQ(trapped.error().code, WorkerError::plugin_failed);
  EXPECT_THAT(trapped.error().message, HasSubstr("plugin a.wasm failed in authorize"));
  EXPECT_TRUE(plugins->authorize(task("add")));
  EXPECT_THAT(plugins->enrich(task("add")), counts('0', '0', '0')) << "what it knew is gone";
}

TEST_F(PluginsTest, one_that_never_comes_back_denies_in_its_time) {
  const auto plugins = this->plugins(Duration{1000});
  const auto hung = plugins->authorize(task("loop"));
  ASSERT_FALSE(hung);
  EXPECT_EQ(hung.error().code, WorkerError::plugin_failed);
  EXPECT_TRUE(plugins->authorize(task("add")));
}

TEST_F(PluginsTest, who_waits_too_long_for_a_turn_is_denied) {
  const auto plugins = this->plugins(Duration{1000});
  std::atomic<int> failed = 0;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&] {
        const auto asked = plugins->authorize(task("loop"));
        if (!asked && asked.error().code == WorkerError::plugin_failed) ++failed;
      });
    }
  }
  EXPECT_EQ(failed, 4);
}

TEST_F(PluginsTest, keep_their_state_and_are_told_of_starts_and_ends) {
  const auto plugins = this->plugins();
  plugins->task_starts(task("add"), {{"A", "B"}});
  plugins->task_starts(task("add"), {});
  plugins->task_ended(task("add"), {.results = "30"});
  plugins->task_ended(task("add"), {.error = Error{WorkerError::exit_code, "ended"}});
  plugins->task_ended(task("add"), {.results = "no \xff text"});
  EXPECT_THAT(plugins->enrich(task("add")), counts('2', '3', '1'));
}

TEST_F(PluginsTest, one_that_fails_elsewhere_holds_nothing_up) {
  const auto plugins = this->plugins();
  EXPECT_THAT(plugins->enrich(task("enrich")), ::testing::IsEmpty());
  plugins->task_starts(task("start"), {});
  plugins->task_ended(task("add", "complete"), {});
  EXPECT_THAT(plugins->enrich(task("add")), counts('0', '0', '0'));
}

TEST_F(PluginsTest, all_are_asked_in_the_order_of_their_names) {
  folder_.write("b.wasm", good_plugin());
  folder_.write("notes.txt", "no plugin");
  const auto plugins = this->plugins();
  EXPECT_EQ(plugins->count(), 2U);
  EXPECT_THAT(plugins->authorize(task("trap")).error().message, HasSubstr("a.wasm"));
}

TEST_F(PluginsTest, a_file_that_is_no_plugin_ends_the_start_by_its_name) {
  folder_.write("b.wasm", "no module");
  EXPECT_THAT(refusal(), HasSubstr("b.wasm"));
  folder_.write("b.wasm", to_text(workload::adder()));
  EXPECT_THAT(refusal(), HasSubstr("core module"));
  folder_.write("b.wasm", std::string{"\0asm\x0d\0\x01\0", 8});
  EXPECT_THAT(refusal(), HasSubstr("does not export propeller:proplet-plugin/lifecycle@0.1.0#authorize"));
  folder_.write("b.wasm", "");
  std::filesystem::resize_file(folder_.path() / "b.wasm", Plugins::max_size + 1);
  EXPECT_THAT(refusal(), HasSubstr("at most"));
}

TEST_F(PluginsTest, a_directory_that_cannot_be_read_ends_the_start) {
  const auto missing = Plugins::load(*engine_, folder_.path() / "missing");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, WorkerError::bad_plugin);
  EXPECT_THAT(missing.error().message, HasSubstr("missing"));
  for (std::size_t i = 0; i <= Plugins::max_plugins; ++i) folder_.write(std::to_string(i) + ".wasm", "");
  EXPECT_THAT(refusal(), HasSubstr("at most 16"));
}

TEST_F(PluginsTest, an_empty_directory_asks_nobody) {
  const auto none = load();
  ASSERT_TRUE(none);
  EXPECT_TRUE((*none)->authorize(task("deny")));
}

}  // namespace
}  // namespace coffer::fleet::worker
