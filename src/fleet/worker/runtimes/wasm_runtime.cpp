#include "fleet/worker/runtimes/wasm_runtime.h"

namespace coffer::fleet::worker {

// The module's own digest, and that of the image's manifest. A module that has to be signed is looked at each time.
std::vector<std::string> WasmRuntime::lasting_names(const StartCommand& task) const {
  std::vector<std::string> names;
  if (loader_.wants_signature(task)) return names;
  if (!task.module_digest.empty()) names.push_back("module " + task.module_digest);
  const auto image = task.file ? std::nullopt : pinned_digest(task.image_url);
  if (image) names.push_back("image " + image->text());
  return names;
}

Result<PreparedModule> WasmRuntime::prepare(const StartCommand& task, const std::stop_token& stop) {
  const auto names = lasting_names(task);
  const bool metered = in_process_.is_metered(task);
  for (const auto& name : names) {
    const auto known = known_.find(name, metered);
    if (!known) continue;
    const bool wanted = task.module_digest.empty() || task.module_digest == known->digest();
    if (wanted) return in_process_.prepare(task, *known);
  }
  const auto content = TRY(loader_.load(task, stop));
  auto prepared = TRY(in_process_.prepare(task, *content));
  for (const auto& name : names) known_.remember(name, metered, *prepared.compiled);
  return prepared;
}

RunReport WasmRuntime::run(const PreparedModule& module, const Run& run, const std::stop_token& stop) {
  return in_process_.run(module, run, stop);
}

}  // namespace coffer::fleet::worker
