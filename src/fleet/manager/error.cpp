#include "fleet/manager/error.h"

#include <array>

#include "fleet/detail/error_table.h"
#include "fleet/error.h"

namespace coffer::fleet::manager {
namespace {

using Known = detail::KnownError<ManagerError>;

constexpr std::array known{
    Known{ManagerError::bad_request, "manager.bad_request", 400},
    Known{ManagerError::bad_cron, "manager.bad_cron", 400},
    Known{ManagerError::bad_time_zone, "manager.bad_time_zone", 400},
    Known{ManagerError::bad_graph, "manager.bad_graph", 400},
    Known{ManagerError::bad_module, "manager.bad_module", 400},
    Known{ManagerError::unauthenticated, "manager.unauthenticated", 401},
    Known{ManagerError::forbidden, "manager.forbidden", 403},
    Known{ManagerError::not_found, "manager.not_found", 404},
    Known{ManagerError::no_such_method, "manager.no_such_method", 405},
    Known{ManagerError::conflict, "manager.conflict", 409},
    Known{ManagerError::already_started, "manager.already_started", 500},
    Known{ManagerError::not_running, "manager.not_running", 500},
    Known{ManagerError::unmet_dependencies, "manager.unmet_dependencies", 500},
    Known{ManagerError::no_worker, "manager.no_worker", 500},
    Known{ManagerError::no_eligible_worker, "manager.no_eligible_worker", 500},
    Known{ManagerError::broker_unavailable, "manager.broker_unavailable", 500},
    Known{ManagerError::invoke_timeout, "manager.invoke_timeout", 500},
    Known{ManagerError::invoke_failed, "manager.invoke_failed", 500},
    Known{ManagerError::coordinator_off, "manager.coordinator_off", 500},
    Known{ManagerError::coordinator_failed, "manager.coordinator_failed", 500},
    Known{ManagerError::plugin_denied, "manager.plugin_denied", 500},
    Known{ManagerError::plugin_failed, "manager.plugin_failed", 500},
    Known{ManagerError::too_large, "manager.too_large", 413},
    Known{ManagerError::internal, "manager.internal", 500},
    Known{ManagerError::worker_lost, "manager.worker_lost", 500},
    Known{ManagerError::result_lost, "manager.result_lost", 500},
    Known{ManagerError::stopped, "manager.stopped", 500},
    Known{ManagerError::dependency_failed, "manager.dependency_failed", 500},
    Known{ManagerError::bad_config, "manager.bad_config", 500},
    Known{ManagerError::bad_plugin, "manager.bad_plugin", 500},
};

}  // namespace

std::string_view code_name(ManagerError code) {
  return detail::name_in<ManagerError>(known, code);
}

int http_status(const Error& error) {
  if (const auto status = detail::status_in<ManagerError>(known, error)) return *status;
  // What messages and their members may be is one set of rules for the wire and for REST. Text that no database keeps
  // came from the client.
  const auto name = error.code.name();
  return name.starts_with("fleet.") || name.starts_with("json.") || name == "sql.bad_value" ? 400 : 500;
}

}  // namespace coffer::fleet::manager
