#include "keybroker/refusal.h"

#include <algorithm>
#include <array>

#include "keyclient/protocol.h"

namespace coffer::keybroker {
namespace {

struct Row {
  BrokerError code;
  std::string_view variant;
  std::string_view prefix;  // upstream's words before the cause
  int status = 401;
};

constexpr std::array rows{
    Row{BrokerError::invalid_path, "InvalidRequestPath", "", 404},
    Row{BrokerError::no_such_endpoint, "PluginNotFound", "", 404},
    Row{BrokerError::no_attestation_service, "PluginNotFound", "", 404},
    Row{BrokerError::body_too_large, "SerdeError", "", 413},
    Row{BrokerError::bad_request, "SerdeError", "Serialize/Deserialize failed: "},
    Row{BrokerError::handshake_malformed, "AttestationError", "Attestation error: "},
    Row{BrokerError::version_mismatch, "AttestationError", "Attestation error: "},
    Row{BrokerError::unknown_tee, "AttestationError", "Attestation error: "},
    Row{BrokerError::tee_not_allowed, "AttestationError", "Attestation error: "},
    Row{BrokerError::tee_not_supported, "AttestationError", "Attestation error: "},
    Row{BrokerError::session_missing, "AttestationError", "Attestation error: "},
    Row{BrokerError::session_unknown, "AttestationError", "Attestation error: "},
    Row{BrokerError::session_expired, "AttestationError", "Attestation error: "},
    Row{BrokerError::too_many_sessions, "AttestationError", "Attestation error: ", 503},
    Row{BrokerError::nonce_mismatch, "AttestationError", "Attestation error: "},
    Row{BrokerError::evidence_rejected, "AttestationError", "Attestation error: "},
    Row{BrokerError::attestation_unavailable, "AttestationError", "Attestation error: "},
    Row{BrokerError::token_missing, "TokenNotFound", ""},
    Row{BrokerError::token_rejected, "TokenVerifierError", "Token Verifier error: "},
    Row{BrokerError::no_trust_anchor, "TokenVerifierError", "Token Verifier error: "},
    Row{BrokerError::tee_key_missing, "TokenVerifierError", "Token Verifier error: "},
    Row{BrokerError::policy_denied, "PolicyDeny", ""},
    Row{BrokerError::policy_failed, "PolicyEngineError", "Policy engine error: "},
    Row{BrokerError::policy_invalid, "ParsePolicyError", "Failed to parse policy: "},
    Row{BrokerError::policy_not_found, "PluginInternalError", "Plugin internal error: ", 404},
    Row{BrokerError::reference_value_invalid, "RvpsError", "RVPS configuration failed: "},
    Row{BrokerError::reference_value_not_found, "RvpsError", "RVPS configuration failed: "},
    Row{BrokerError::reference_value_conflict, "RvpsError", "RVPS configuration failed: ", 409},
    Row{BrokerError::admin_denied, "AdminAuthAccess", ""},
    Row{BrokerError::response_failed, "JweError", "JWE failed: "},
};

Row row_of(ErrorCode code) {
  for (const auto& row : rows) {
    if (ErrorCode{row.code} == code) return row;
  }
  // A vendor's service in trouble, under its own code (see handshake.cpp).
  if (code.name().starts_with("collateral."))
    return {BrokerError::evidence_rejected, "AttestationError", "Attestation error: "};
  return {BrokerError::storage_failed, "PluginInternalError", "Plugin internal error: "};
}

std::string_view context_field(const Error& error, std::string_view name) {
  const auto found =
      std::ranges::find(error.context, name, [](const auto& field) -> std::string_view { return field.first; });
  return found == error.context.end() ? std::string_view{} : std::string_view{found->second};
}

bool is_missing_resource(ErrorCode code) {
  return code == ErrorCode{BrokerError::resource_not_found} || code == ErrorCode{BrokerError::resource_path_invalid};
}

}  // namespace

net::ServerResponse to_response(const Error& error, int missing_resource_status) {
  const auto row = row_of(error.code);
  const auto body =
      keyclient::ErrorInformation::make(row.variant, std::string{row.prefix} + error.message, error.code.name());
  const int status = is_missing_resource(error.code) ? missing_resource_status : row.status;
  return net::ServerResponse::text(status, "application/json", body.serialize());
}

net::ServerResponse unread_refusal(int status, std::string_view why) {
  const Error error{status == 413 ? BrokerError::body_too_large : BrokerError::bad_request, std::string{why}};
  auto response = to_response(error, status);
  response.status = status;
  return response;
}

Error because(ErrorCode code, std::string client_text, const Error& cause) {
  Error error{code, std::move(client_text)};
  error.context.emplace_back("cause_code", std::string{cause.code.name()});
  error.context.emplace_back("cause", cause.message);
  for (const auto& field : cause.context) error.context.push_back(field);
  return error;
}

std::string owner_text(const Error& error) {
  const auto code = context_field(error, "cause_code");
  const auto cause = context_field(error, "cause");
  if (code.empty()) return error.message;
  const bool said = error.message.find(cause) != std::string::npos;
  return error.message + " (" + std::string{code} + (said ? "" : ": " + std::string{cause}) + ")";
}

}  // namespace coffer::keybroker
