#include "keybroker/error.h"

namespace coffer::keybroker {

std::string_view code_name(BrokerError code) {
  switch (code) {
    case BrokerError::config_syntax: return "broker.config_syntax";
    case BrokerError::config_value: return "broker.config_value";
    case BrokerError::config_unknown_key: return "broker.config_unknown_key";
    case BrokerError::config_conflict: return "broker.config_conflict";
    case BrokerError::config_unsupported: return "broker.config_unsupported";
    case BrokerError::config_file: return "broker.config_file";
    case BrokerError::invalid_path: return "broker.invalid_path";
    case BrokerError::no_such_endpoint: return "broker.no_such_endpoint";
    case BrokerError::method_not_allowed: return "broker.method_not_allowed";
    case BrokerError::bad_request: return "broker.bad_request";
    case BrokerError::body_too_large: return "broker.body_too_large";
    case BrokerError::handshake_malformed: return "broker.handshake_malformed";
    case BrokerError::version_mismatch: return "broker.version_mismatch";
    case BrokerError::unknown_tee: return "broker.unknown_tee";
    case BrokerError::tee_not_allowed: return "broker.tee_not_allowed";
    case BrokerError::tee_not_supported: return "broker.tee_not_supported";
    case BrokerError::no_attestation_service: return "broker.no_attestation_service";
    case BrokerError::session_missing: return "broker.session_missing";
    case BrokerError::session_unknown: return "broker.session_unknown";
    case BrokerError::session_expired: return "broker.session_expired";
    case BrokerError::too_many_sessions: return "broker.too_many_sessions";
    case BrokerError::nonce_mismatch: return "broker.nonce_mismatch";
    case BrokerError::evidence_rejected: return "broker.evidence_rejected";
    case BrokerError::attestation_unavailable: return "broker.attestation_unavailable";
    case BrokerError::token_missing: return "broker.token_missing";
    case BrokerError::token_rejected: return "broker.token_rejected";
    case BrokerError::no_trust_anchor: return "broker.no_trust_anchor";
    case BrokerError::tee_key_missing: return "broker.tee_key_missing";
    case BrokerError::policy_denied: return "broker.policy_denied";
    case BrokerError::policy_failed: return "broker.policy_failed";
    case BrokerError::policy_invalid: return "broker.policy_invalid";
    case BrokerError::resource_not_found: return "broker.resource_not_found";
    case BrokerError::resource_path_invalid: return "broker.resource_path_invalid";
    case BrokerError::reference_value_conflict: return "broker.reference_value_conflict";
    case BrokerError::reference_value_invalid: return "broker.reference_value_invalid";
    case BrokerError::reference_value_not_found: return "broker.reference_value_not_found";
    case BrokerError::policy_not_found: return "broker.policy_not_found";
    case BrokerError::admin_denied: return "broker.admin_denied";
    case BrokerError::storage_failed: return "broker.storage_failed";
    case BrokerError::response_failed: return "broker.response_failed";
  }
  return "broker.unknown";
}

}  // namespace coffer::keybroker
