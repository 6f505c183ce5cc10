// A component that calls the HAL, in the engine: testdata/guest.wat.
#include <gmock/gmock.h>

#include <fstream>
#include <iterator>
#include <thread>

#include "evidence/sample/sample.h"
#include "wasm/runtime.h"
#include "workload/embedded_runtime.h"
#include "workload/hal/hal_testing.h"

namespace coffer::workload::hal {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

class GuestTest : public ::testing::Test {
 protected:
  static Bytes component() {
    std::ifstream stream(COFFER_HAL_TESTDATA "/guest.wasm", std::ios::binary);
    const std::string content{std::istreambuf_iterator<char>{stream}, {}};
    return to_bytes(content);
  }
  static wasm::Runtime& runtime() {
    static auto made = wasm::Runtime::create({.max_instances = 4, .host_interfaces = interfaces()});
    if (!made) throw std::runtime_error(to_string(made.error()));
    return *made;
  }
  GuestTest() {
    services_->storage.own = folder_.path() / "own";
    EXPECT_TRUE(prepare_own_storage(services_->storage.own));
  }
  Result<wasm::CallResult> try_call(const std::string& function, std::vector<std::string> arguments) {
    auto module = TRY(runtime().compile(component()));
    return runtime().call(module, function,
                          {.arguments = std::move(arguments), .host_call = host_call(services_, task_)});
  }
  // The result in WAVE.
  std::string call(const std::string& function, std::vector<std::string> arguments = {}) {
    const auto result = try_call(function, std::move(arguments));
    EXPECT_TRUE(result) << to_string(result.error());
    return result && result->values.size() == 1 ? result->values.front() : "";
  }

  TemporaryDirectory folder_;
  std::shared_ptr<Services> services_ = std::make_shared<Services>();
  Task task_{.id = "task-1", .module_digest = "sha256:00"};
};

TEST_F(GuestTest, gets_values_of_every_kind) {
  EXPECT_EQ(call("platform"), R"(("None", "0.0.0"))");
  EXPECT_THAT(call("hash", {"[97, 98, 99]", "sha256"}), StartsWith("ok([186, 120, 22, 191, "));
  EXPECT_THAT(call("hash", {"[97, 98, 99]", "blake3"}), StartsWith("ok([100, 55, 179, 172, "));
  EXPECT_EQ(call("sleep", {"1000"}), "ok");
}

TEST_F(GuestTest, stores_in_one_call_and_reads_in_the_same_instance_alone_where_no_folder_is_named) {
  EXPECT_EQ(call("store", {R"("c")", R"("k")", "[1, 2, 3]"}), "ok(1)");
  EXPECT_THAT(call("load", {R"("c")", R"("k")"}), StartsWith("err(\"hal.not_found: "));
  EXPECT_TRUE(std::filesystem::is_empty(services_->storage.own));
}

TEST_F(GuestTest, finds_what_another_run_stored_in_a_folder_that_is_named) {
  services_->storage.allowed = {folder_.path()};
  task_.storage = folder_.path() / "shared";
  EXPECT_EQ(call("store", {R"("c")", R"("k")", "[1, 2, 3]"}), "ok(1)");
  EXPECT_EQ(call("load", {R"("c")", R"("k")"}), "ok([1, 2, 3])");
  EXPECT_THAT(call("load", {R"("../c")", R"("k")"}), StartsWith("err(\"hal.bad_value: "));
}

TEST_F(GuestTest, gets_what_is_closed_as_an_error_value) {
  EXPECT_THAT(call("attest", {"[1]"}), StartsWith("err(\"hal.unavailable: "));
  EXPECT_THAT(call("connect", {R"("127.0.0.1")", "1"}), StartsWith("err(\"hal.denied: "));
  EXPECT_THAT(call("workloads"), StartsWith("err(\"hal.denied: "));
}

TEST_F(GuestTest, gets_evidence_in_a_tee) {
  services_->tee = "sample";
  const std::shared_ptr<evidence::Attester> attester = evidence::sample::make_attester(evidence::TeeKind::sample);
  services_->attest = [attester](ByteView report_data) { return attester->attest(report_data); };
  EXPECT_EQ(call("platform"), R"(("sample", "0.1.0"))");
  EXPECT_THAT(call("attest", {"[1]"}), StartsWith("ok([123, "));  // '{'
}

TEST_F(GuestTest, is_not_run_where_there_is_no_hal) {
  auto bare = wasm::Runtime::create({.max_instances = 1});
  ASSERT_TRUE(bare);
  const auto module = bare->compile(component());
  ASSERT_FALSE(module);
  EXPECT_EQ(module.error().code, wasm::WasmError::unsupported_import);
  EXPECT_THAT(module.error().message, HasSubstr("elastic:hal/"));
}

TEST_F(GuestTest, goes_no_further_when_its_task_is_stopped) {
  std::stop_source stop;
  task_.stop = stop.get_token();
  stop.request_stop();
  const auto ended = try_call("sleep", {"3600000000000"});
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().code, wasm::WasmError::trap);
  EXPECT_THAT(ended.error().message, HasSubstr("the task is being stopped"));
}

TEST_F(GuestTest, has_the_end_of_its_task_told_by_its_cause) {
  const auto module = runtime().compile(component());
  ASSERT_TRUE(module);
  const auto ends_with = [&](Task task, Duration wall_time) {
    const Execution execution{.function = "sleep",
                              .arguments = {"3600000000000"},
                              .limits = {.wall_time = wall_time},
                              .host_call = host_call(services_, task),
                              .stop = task.stop};
    const auto ended = run_embedded(runtime(), *module, execution);
    return ended ? "" : std::string{ended.error().code.name()};
  };
  task_.longest_wait = Duration{60};
  EXPECT_EQ(ends_with(task_, Duration{20}), "wasm.timeout");
  EXPECT_EQ(ends_with(task_, Duration{0}), "wasm.trap");
  std::stop_source stop;
  task_ = {.id = "t", .stop = stop.get_token()};
  std::jthread stopper([&] { stop.request_stop(); });
  EXPECT_EQ(ends_with(task_, Duration{0}), "wasm.cancelled");
}

}  // namespace
}  // namespace coffer::workload::hal
