// Why the broker refuses. The guest gets the code; the owner finds the rest in the audit record.
#pragma once

#include "base/result.h"

namespace coffer::keybroker {

enum class BrokerError {
  // Configuration
  config_syntax,       // not TOML, YAML or JSON
  config_value,        // a value of the wrong type or outside its range
  config_unknown_key,  // an unknown key in our own [coffer] table
  config_conflict,     // two settings that contradict each other
  config_unsupported,  // a back end that is not in this build
  config_file,         // a file that the configuration names cannot be used
  // Requests
  invalid_path,
  no_such_endpoint,  // neither built in nor a configured plugin
  method_not_allowed,
  bad_request,  // a body or parameter that does not parse
  body_too_large,
  // Handshake
  handshake_malformed,     // a Request or Attestation that does not parse, or a TEE key that cannot be used
  version_mismatch,        // not protocol 0.4.0
  unknown_tee,             // no such TEE name
  tee_not_allowed,         // sample evidence without the switch
  tee_not_supported,       // a known name without a verifier in this build
  no_attestation_service,  // a passport-only broker
  session_missing,         // no cookie where the handshake needs one
  session_unknown,         // no session of this id: never opened, swept, or of another broker
  session_expired,
  too_many_sessions,  // for now: expired ones are swept every minute
  nonce_mismatch,     // the nonce of another session, or one already spent
  evidence_rejected,
  attestation_unavailable,  // the attestation service did not answer; the nonce stays good
  // Tokens and policy
  token_missing,  // neither an attested session nor a Bearer token
  token_rejected,
  no_trust_anchor,  // no attestation service, certificate or key set says whom to believe
  tee_key_missing,  // the token carries no key to encrypt the response to
  policy_denied,
  policy_failed,   // the policy could not be evaluated
  policy_invalid,  // an uploaded policy does not parse
  // Resources and administration
  resource_not_found,
  resource_path_invalid,
  reference_value_invalid,
  reference_value_not_found,
  reference_value_conflict,  // somebody else has changed it meanwhile
  policy_not_found,
  admin_denied,
  storage_failed,
  response_failed,  // the response could not be encrypted
};
std::string_view code_name(BrokerError code);

}  // namespace coffer::keybroker
