// Why a CCA token is refused. Report data, init-data, missing keys and simulated roots have EvidenceError's codes.
#pragma once

#include "base/result.h"

namespace coffer::evidence::cca {

enum class CcaError {
  not_a_token,          // no CBOR tag 399 around a map of the two tokens
  bad_platform_token,   // the platform token is no COSE_Sign1 of this kind
  bad_realm_token,      // nor the realm token
  bad_platform_claims,  // a claim of another type or size, or missing
  bad_realm_claims,
  unknown_profile,     // a profile that is not known here
  untrusted_platform,  // the platform token's own certificates lead to nothing trusted
  platform_signature,  // the platform token is not signed by the platform's key
  bad_realm_key,       // the realm's key is none, or its hash algorithm is unknown
  realm_signature,     // the realm token is not signed by the realm's key
  unbound_realm_key,   // the platform vouches for another realm key
  not_secured,         // the platform's lifecycle is not "secured" and cca_verifier.allow_unsecured is not set
};
std::string_view code_name(CcaError code);

}  // namespace coffer::evidence::cca
