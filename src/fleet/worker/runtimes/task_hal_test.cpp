#include "fleet/worker/runtimes/task_hal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "fleet/worker/trust/tee_access.h"
#include "testing/temporary_directory.h"
#include "wasm/runtime.h"
#include "workload/wasm_modules_testing.h"

namespace coffer::fleet::worker {
namespace {

namespace fs = std::filesystem;

class TaskHalTest : public ::testing::Test {
 protected:
  TaskHalTest() {
    config_.tee.enabled = false;
    config_.hal.storage_directory = folder_.path() / "state";
    config_.hal.storage_roots = {folder_.path() / "shared"};
    fs::create_directory(folder_.path() / "shared");
  }
  std::shared_ptr<const TaskHal> hal() {
    auto tee = TeeAccess::open(config_, folder_.path());
    EXPECT_TRUE(tee) << to_string(tee.error());
    tee_ = std::move(*tee);
    return TaskHal::open(config_.hal, "me", *tee_);
  }
  PreparedModule component() {
    std::ifstream stream(COFFER_HAL_TESTDATA "/guest.wasm", std::ios::binary);
    const std::string content{std::istreambuf_iterator<char>{stream}, {}};
    return {.digest = "sha256:00", .compiled = *engine_->compile(as_bytes(content))};
  }
  // What the guest's call of a function without parameters comes to.
  static std::string answer(const workload::Execution& execution, std::string_view interface_name,
                            std::string_view function) {
    const auto value = execution.host_call("elastic:hal/" + std::string{interface_name} + "@0.1.0", function, {});
    if (!value) return std::string{value.error().code.name()};
    const auto* const error = value->find("err");
    return error != nullptr ? error->if_text()->substr(0, error->if_text()->find(':')) : "ok";
  }

  TemporaryDirectory folder_;
  Config config_;
  std::unique_ptr<TeeAccess> tee_;
  Result<wasm::Runtime> engine_ = wasm::Runtime::create({.host_interfaces = workload::hal::interfaces()});
  StartCommand task_{.id = "t", .name = "x"};
  std::vector<std::string> inputs_;
  std::map<std::string, std::string> env_;
};

TEST_F(TaskHalTest, a_start_names_a_folder_that_the_operator_allows_or_is_refused) {
  const auto hal = this->hal();
  EXPECT_TRUE(hal->check(task_));
  task_.hal_storage_path = folder_.path() / "shared" / "t";
  EXPECT_TRUE(hal->check(task_));
  task_.hal_storage_path = "/etc";
  const auto refused = hal->check(task_);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code.name(), "hal.storage_refused");
}

TEST_F(TaskHalTest, components_get_it_and_core_modules_do_not) {
  const auto hal = this->hal();
  workload::Execution execution;
  hal->add_to(execution, {task_, inputs_, env_},
              {.digest = "sha256:00", .compiled = *engine_->compile(workload::adder())});
  EXPECT_FALSE(execution.host_call);
  hal->add_to(execution, {task_, inputs_, env_}, component());
  ASSERT_TRUE(execution.host_call);
  EXPECT_EQ(answer(execution, "clock", "get-system-time"), "ok");
  EXPECT_EQ(answer(execution, "communication", "list-workloads"), "hal.denied");
}

TEST_F(TaskHalTest, tasks_reach_each_other_where_the_operator_lets_them) {
  config_.hal.communication = true;
  const auto hal = this->hal();
  workload::Execution execution;
  hal->add_to(execution, {task_, inputs_, env_}, component());
  EXPECT_EQ(answer(execution, "communication", "list-workloads"), "ok");
}

TEST_F(TaskHalTest, time_bounds_the_waiting_of_a_task_and_of_each_request_where_it_serves) {
  const auto hal = this->hal();
  const std::vector<wasm::Value> an_hour{std::uint64_t{3'600'000'000'000}};
  for (const bool serves : {false, true}) {
    workload::Execution execution{.limits = {.wall_time = Duration{20}}};
    auto module = component();
    module.serves = serves;
    hal->add_to(execution, {task_, inputs_, env_}, module);
    const auto slept = execution.host_call("elastic:hal/clock@0.1.0", "sleep", an_hour);
    ASSERT_FALSE(slept);
    EXPECT_EQ(slept.error().code.name(), "hal.stopped");
  }
}

TEST_F(TaskHalTest, the_place_of_what_tasks_store_is_made_anew_and_removed_in_the_end) {
  auto hal = this->hal();
  const auto place = fs::directory_iterator{folder_.path() / "state"} -> path();
  hal.reset();
  EXPECT_FALSE(fs::exists(place));
  folder_.write(place / "left" / "by" / "a" / "killed" / "worker", "x");
  hal = this->hal();
  EXPECT_TRUE(fs::is_empty(place));
}

TEST_F(TaskHalTest, without_such_a_place_the_worker_starts_all_the_same) {
  folder_.write("file", "x");
  config_.hal.storage_directory = folder_.path() / "file";
  const auto hal = this->hal();
  workload::Execution execution;
  hal->add_to(execution, {task_, inputs_, env_}, component());
  const std::vector<wasm::Value> name{"c"};
  const auto opened = execution.host_call("elastic:hal/storage@0.1.0", "open-container", name);
  EXPECT_THAT(*opened->find("err")->if_text(), ::testing::StartsWith("hal.unavailable"));
}

TEST_F(TaskHalTest, evidence_comes_from_the_workers_tee) {
  config_.tee = {.test_tee = "sample"};
  const auto hal = this->hal();
  workload::Execution execution;
  hal->add_to(execution, {task_, inputs_, env_}, component());
  const std::vector<wasm::Value> report_data{to_bytes("nonce")};
  const auto attested = execution.host_call("elastic:hal/attestation@0.1.0", "attestation", report_data);
  ASSERT_TRUE(attested && attested->find("ok"));
  EXPECT_THAT(as_text(*attested->find("ok")->if_bytes()), ::testing::HasSubstr("report_data"));
  const auto info = execution.host_call("elastic:hal/platform@0.1.0", "get-platform-info", {});
  EXPECT_EQ(*info->find("platform-type"), wasm::Value{"sample"});
}

}  // namespace
}  // namespace coffer::fleet::worker
