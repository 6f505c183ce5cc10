// `coffer doctor --report`: what a person attaches to a bug report.
#pragma once

#include "apps/coffer/context.h"

namespace coffer::cli {

// One JSON document: versions, TEEs, the home's configuration with secrets and key paths left out, what stands at the
// broker's address, and the last denials where the administrator's key may read them. Never key material.
Result<int> write_report_bundle(const Context& context, const std::string& file);

}  // namespace coffer::cli
