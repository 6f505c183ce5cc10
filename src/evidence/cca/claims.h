// What a policy sees of a verified CCA token: Veraison's names, bytes in base64 (trustee.md 7).
#pragma once

#include "codec/json.h"
#include "evidence/cca/token.h"

namespace coffer::evidence::cca {

// {"realm": {"cca-realm-*"}, "platform": {"cca-platform-*"}}.
codec::json::Object claims_of(const Token& token);

}  // namespace coffer::evidence::cca
