#include "keyclient/error.h"

#include "keyclient/protocol.h"

namespace coffer::keyclient {

std::string_view code_name(KeyClientError code) {
  switch (code) {
    case KeyClientError::unreachable: return "keyclient.unreachable";
    case KeyClientError::tls: return "keyclient.tls";
    case KeyClientError::not_a_broker: return "keyclient.not_a_broker";
    case KeyClientError::unavailable: return "keyclient.unavailable";
    case KeyClientError::no_attestation_service: return "keyclient.no_attestation_service";
    case KeyClientError::version_mismatch: return "keyclient.version_mismatch";
    case KeyClientError::tee_refused: return "keyclient.tee_refused";
    case KeyClientError::evidence_rejected: return "keyclient.evidence_rejected";
    case KeyClientError::attester_failed: return "keyclient.attester_failed";
    case KeyClientError::unauthorized: return "keyclient.unauthorized";
    case KeyClientError::no_trust_anchor: return "keyclient.no_trust_anchor";
    case KeyClientError::policy_denied: return "keyclient.policy_denied";
    case KeyClientError::not_found: return "keyclient.not_found";
    case KeyClientError::key_malformed: return "keyclient.key_malformed";
    case KeyClientError::decryption_failed: return "keyclient.decryption_failed";
    case KeyClientError::protocol: return "keyclient.protocol";
    case KeyClientError::bad_uri: return "keyclient.bad_uri";
    case KeyClientError::source_unreadable: return "keyclient.source_unreadable";
    case KeyClientError::source_ambiguous: return "keyclient.source_ambiguous";
    case KeyClientError::config_syntax: return "keyclient.config_syntax";
    case KeyClientError::config_value: return "keyclient.config_value";
    case KeyClientError::config_conflict: return "keyclient.config_conflict";
  }
  return "keyclient.unknown";
}

std::string_view code_name(ProtocolError code) {
  switch (code) {
    case ProtocolError::malformed: return "protocol.malformed";
    case ProtocolError::too_large: return "protocol.too_large";
  }
  return "protocol.unknown";
}

}  // namespace coffer::keyclient
