#include "fleet/manager/manager.h"

namespace coffer::fleet::manager {

Result<Manager::WorkerView> Manager::worker(std::string_view id) {
  auto worker = workers_.find(id);
  if (!worker) return fail(ManagerError::not_found, "there is no proplet \"" + std::string{id} + "\"");
  const bool alive = workers_.is_alive(*worker, now());
  const auto count = worker->running;
  return WorkerView{std::move(*worker), count, alive};
}

Result<store::Paged<Manager::WorkerView>> Manager::workers(store::Page page, std::optional<bool> alive) {
  store::Paged<WorkerView> found;
  const auto at = now();
  workers_.with([&](const auto& all) {
    for (const auto& [id, worker] : all) {
      const bool is_alive = workers_.is_alive(worker, at);
      if (alive && *alive != is_alive) continue;
      if (found.total++ < page.offset || found.items.size() >= page.limit) continue;
      found.items.push_back({worker, worker.running, is_alive});
    }
  });
  return found;
}

Result<> Manager::delete_worker(std::string_view id) {
  const auto view = TRY(worker(id));
  const auto running =
      TRY(sql_read(*database_, [&](store::SqlTransaction& transaction) { return store::running_on(transaction, id); }));
  if (!running.empty()) {
    return fail(ManagerError::conflict, "proplet \"" + view.worker.id + "\" runs " + std::to_string(running.size()) +
                                            " tasks: stop them first");
  }
  workers_.forget(id);
  return workers_.save(*database_);
}

Result<store::Paged<std::string>> Manager::measurements(std::string_view kind, std::string_view subject,
                                                        store::Page page) {
  TRY(telemetry_.save(*database_));
  return sql_read(*database_, [&](store::SqlTransaction& transaction) {
    return store::measurements(transaction, kind, subject, page);
  });
}

}  // namespace coffer::fleet::manager
