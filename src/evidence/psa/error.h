// Why a PSA token is refused. Report data, init-data, missing keys and simulated roots have EvidenceError's codes.
#pragma once

#include "base/result.h"

namespace coffer::evidence::psa {

enum class PsaError {
  not_a_token,         // no COSE_Sign1 of this kind
  bad_claims,          // a claim of another type, size or range, or missing
  unknown_profile,     // a profile that is not known here
  untrusted_platform,  // the token's own certificates lead to nothing trusted
  bad_signature,       // the token is not signed by the platform's key
  wrong_instance,      // the instance id is not the hash of the key, and no other was configured
  not_secured,         // the lifecycle is neither "secured" nor "non-psa-rot-debug", or the latter is not allowed
};
std::string_view code_name(PsaError code);

}  // namespace coffer::evidence::psa
