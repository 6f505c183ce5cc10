// Where external verifiers and attesters are.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "codec/json.h"
#include "evidence/external/channel.h"

namespace coffer::evidence::external {

// By type. Errors: bad_config.
Result<std::map<std::string, UnixSocket>> read_verifiers(const codec::json::Object& config);

struct AttesterSocket {
  std::string type;
  UnixSocket socket;
};
// Nothing where none is configured. `environment`: the value of COFFER_EXTERNAL_ATTESTER, or null.
Result<std::optional<AttesterSocket>> read_attester(const codec::json::Object& config, const char* environment);

}  // namespace coffer::evidence::external
