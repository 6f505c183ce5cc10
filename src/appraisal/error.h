#pragma once

#include <string>

#include "base/result.h"

namespace coffer::appraisal {

enum class AppraisalError {
  bad_request,            // an empty or contradictory evaluation request
  bad_policy_id,          // outside [A-Za-z0-9._-], empty, or over 128 characters
  unknown_policy,         // no policy of that id, or none for a device's class
  bad_trust_claims,       // a policy whose trust_claims or extensions have the wrong shape
  undecided,              // a policy that says one thing, and another when it is asked for its reasons
  bad_reference_message,  // a reference value message that does not parse
  unsupported_reference,  // swid, corim, or a type nobody knows
  bad_reference_name,     // a reference value name that the store cannot hold
  reference_conflict,     // a reference value is not what its setter expected it to be
  bad_signer,             // a signer key or chain that cannot sign attestation tokens
  not_supported,          // an operation that the attestation service behind us does not offer
  unavailable,            // the attestation service cannot be reached or did not answer in time
  refused,                // the attestation service answered and refused (gRPC ABORTED and others)
  bad_response,           // the attestation service answered with something that is no token
};
std::string_view code_name(AppraisalError code);

enum class TokenError {
  malformed,  // not a compact JWS with a JSON header and claims
  too_large,
  no_anchor,               // nothing is trusted: no certificate, no JWK set, and header keys are not allowed
  no_trusted_certificate,  // the header brings a jwk, but no trusted certificate is configured
  missing_x5c,             // a header jwk without the chain that would prove it
  bad_x5c,                 // a chain that does not parse
  key_mismatch,            // the leaf certificate holds another key than the header's jwk
  untrusted_chain,         // a chain that does not end in a trusted certificate, or is not valid now
  bad_jwk,                 // a header jwk that does not parse, or without alg
  no_key_id,               // neither jwk nor kid in the header
  unknown_key_id,          // a kid that no trusted JWK set has
  algorithm_not_allowed,
  bad_signature,
  expired,
  missing_exp,
  no_tee_key,  // the claims carry no TEE public key at any known place
  bad_anchor,  // a configured certificate or JWK set that cannot be read
};
std::string_view code_name(TokenError code);

// What a guest may learn of a failure: one fixed sentence a code, without expected and actual values, which are for the
// owner alone (design.md 5.4).
std::string guest_message(const Error& error);

}  // namespace coffer::appraisal
