// The vendors' services of simulated hardware, as a command.
#pragma once

#include "apps/coffer/context.h"

namespace coffer::cli {

void add_simulate_serve_command(CLI::App& group, Commands& commands);
// CliError::usage where no vendor's service has this name.
Result<> check_vendor_service(std::string_view name);

}  // namespace coffer::cli
