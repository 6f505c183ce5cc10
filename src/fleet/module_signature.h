// What a start asks of its module's signature: `"module_signature": {"public_key": ..., "signature": ...}`, an addition
// of ours that upstream ignores.
#pragma once

#include <string>

#include "codec/json.h"

namespace coffer::fleet {

struct ModuleSignature {
  // One key in PEM or several, one after the other, any of which will do; or "kbs:///...", which a worker in a TEE gets
  // from its key broker. Empty: the worker's own.
  std::string public_key{};
  // Over the module itself, in base64, for modules that come without a registry's signature. Empty: cosign's, beside
  // the image.
  std::string signature{};
  friend bool operator==(const ModuleSignature&, const ModuleSignature&) = default;
};

inline constexpr std::string_view resource_scheme = "kbs://";

// FleetError::bad_member for a key that is neither, a signature that is no base64, or for neither of both.
Result<ModuleSignature> read_module_signature(const codec::json::Value& value, std::string_view what);
codec::json::Object write_module_signature(const ModuleSignature& signature);

}  // namespace coffer::fleet
