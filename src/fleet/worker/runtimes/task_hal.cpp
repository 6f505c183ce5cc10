#include "fleet/worker/runtimes/task_hal.h"

#include "base/log.h"
#include "codec/base64.h"
#include "crypto/hash.h"
#include "fleet/worker/trust/tee_access.h"
#include "workload/user_directory.h"

namespace coffer::fleet::worker {
namespace {

namespace hal = workload::hal;

constexpr Duration default_request_wait = std::chrono::seconds{30};  // of a task that serves, as its requests have it
// A wait that the task's time ends is over when the engine's own deadline has passed for certain.
constexpr Duration slack{50};

// Named by the worker's id, so that several of one user do not meet; hashed, for an id is any text.
std::filesystem::path own_folder(const HalConfig& config, const std::string& own_id) {
  const auto state = workload::user_state_directory();
  if (config.storage_directory.empty() && !state) return {};
  return (config.storage_directory.empty() ? *state / "coffer" / "hal" : config.storage_directory) /
         codec::hex_encode(crypto::sha256(as_bytes(own_id))).substr(0, 16);
}

std::filesystem::path prepared_folder(const HalConfig& config, const std::string& own_id) {
  auto folder = own_folder(config, own_id);
  if (folder.empty()) {
    log::warn("worker.hal_storage", "there is no folder for what tasks store: set PROPLET_HAL_STORAGE_DIR");
    return {};
  }
  if (const auto made = hal::prepare_own_storage(folder); !made) {
    log::warn("worker.hal_storage", "tasks that name no folder have no storage: " + made.error().message);
    return {};
  }
  return folder;
}

std::string name_of(const Capabilities::Tee& tee) {
  return tee.simulated && tee.type != "sample" ? "simulated:" + tee.type : tee.type;
}

}  // namespace

std::shared_ptr<const TaskHal> TaskHal::open(const HalConfig& config, const std::string& own_id, TeeAccess& tee) {
  hal::Services services;
  services.connect = config.connect;
  services.listen = config.listen;
  if (config.communication) services.exchange = std::make_shared<hal::Exchange>();
  services.storage = {
      .own = prepared_folder(config, own_id), .allowed = config.storage_roots, .max_size = config.storage_limit};
  if (tee.tee()) {
    services.tee = name_of(*tee.tee());
    services.attest = [&tee](ByteView report_data) { return tee.attest(report_data); };
  }
  return std::make_shared<const TaskHal>(std::move(services));
}

TaskHal::~TaskHal() {
  std::error_code ignored;
  if (!services_->storage.own.empty()) std::filesystem::remove_all(services_->storage.own, ignored);
}

Result<> TaskHal::check(const StartCommand& task) const {
  if (task.hal_storage_path.empty()) return {};
  TRY(hal::find_storage(services_->storage, task.hal_storage_path));
  return {};
}

void TaskHal::add_to(workload::Execution& execution, const Run& run, const PreparedModule& module) const {
  if (!module.compiled || module.compiled->kind() != wasm::ModuleKind::component) return;
  const auto time = execution.limits.wall_time;
  hal::Task task{.id = run.task.id,
                 .module_digest = module.digest,
                 .encrypted = run.task.encrypted,
                 .memory = execution.limits.memory,
                 .storage = run.task.hal_storage_path,
                 .stop = execution.stop};
  if (module.serves) {
    task.longest_wait = (time > Duration{0} ? time : default_request_wait) + slack;
  } else if (time > Duration{0}) {
    task.deadline = std::chrono::steady_clock::now() + time + slack;
  }
  execution.host_call = hal::host_call(services_, std::move(task));
}

}  // namespace coffer::fleet::worker
