// Puts a broker together from its configuration.
#pragma once

#include <memory>

#include "keybroker/services.h"

namespace coffer::keybroker {

// Opens the stores, reads keys and certificates, makes the attestation service. Every file that cannot be used and
// every contradiction is an error here, at start.
Result<std::unique_ptr<Services>> assemble(Config config, const Dependencies& dependencies);

}  // namespace coffer::keybroker
