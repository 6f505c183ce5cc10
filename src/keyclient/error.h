// What went wrong on the way to a key, told so that the person in front of the guest knows whose move it is.
#pragma once

#include "base/result.h"

namespace coffer::keyclient {

enum class KeyClientError {
  // The way there
  unreachable,   // no connection, no name, no answer in time
  tls,           // the broker's certificate is not trusted, or no common TLS version
  not_a_broker,  // something answers, but not the KBS protocol
  unavailable,   // the broker answers that it cannot serve now (429, 5xx)
  // The handshake
  no_attestation_service,  // a passport-only broker: it believes tokens and issues none
  version_mismatch,        // the broker speaks another protocol version
  tee_refused,             // the broker does not take this kind of TEE (unknown, or sample without its switch)
  evidence_rejected,       // the verifier did not accept the evidence
  attester_failed,         // this machine could not make evidence
  // The resource
  unauthorized,       // the broker accepts neither session nor token
  no_trust_anchor,    // the broker has no attestation service, certificate or key set that says whom to believe
  policy_denied,      // attested, but the owner's policy says no
  not_found,          // no such resource
  key_malformed,      // empty, or not of the size that its use demands
  decryption_failed,  // the broker's answer does not open with the TEE key
  // This side
  protocol,           // an answer that is not what the protocol says
  bad_uri,            // an address or resource name that cannot be used
  source_unreadable,  // a local key directory or file that cannot be read
  source_ambiguous,   // two files for one key
  config_syntax,      // an aa-config that is not TOML or JSON
  config_value,       // a value in it of the wrong type or outside its range
  config_conflict,    // settings that contradict each other
};
std::string_view code_name(KeyClientError code);

}  // namespace coffer::keyclient
