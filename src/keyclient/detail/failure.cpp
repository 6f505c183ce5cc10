#include "keyclient/detail/failure.h"

#include <array>
#include <optional>
#include <string>

#include "base/printable.h"
#include "keyclient/protocol.h"

namespace coffer::keyclient::detail {
namespace {

using enum KeyClientError;

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

// "broker.policy_denied" to "policy_denied": the folder is not part of the meaning.
std::string_view short_code(std::string_view code) {
  const auto dot = code.rfind('.');
  return dot == std::string_view::npos ? code : code.substr(dot + 1);
}

struct Meaning {
  std::string_view name;
  KeyClientError error;
};

// Codes of our brokers.
constexpr std::array meanings_of_codes{
    Meaning{"version_mismatch", version_mismatch},
    Meaning{"unknown_tee", tee_refused},
    Meaning{"tee_not_allowed", tee_refused},
    Meaning{"tee_not_supported", tee_refused},
    Meaning{"no_attestation_service", no_attestation_service},
    Meaning{"session_missing", unauthorized},
    Meaning{"session_unknown", unauthorized},
    Meaning{"session_expired", unauthorized},
    Meaning{"nonce_mismatch", evidence_rejected},
    Meaning{"too_many_sessions", unavailable},
    Meaning{"evidence_rejected", evidence_rejected},
    Meaning{"token_missing", unauthorized},
    Meaning{"token_rejected", unauthorized},
    Meaning{"tee_key_missing", unauthorized},
    Meaning{"no_trust_anchor", no_trust_anchor},
    Meaning{"policy_denied", policy_denied},
    Meaning{"policy_failed", policy_denied},
    Meaning{"resource_not_found", not_found},
    Meaning{"resource_path_invalid", not_found},
    Meaning{"invalid_path", not_found},
    Meaning{"storage_failed", unavailable},
    Meaning{"attestation_unavailable", unavailable},
    Meaning{"handshake_malformed", protocol},
    Meaning{"bad_request", protocol},
    Meaning{"body_too_large", protocol},
    Meaning{"response_failed", unavailable},
};

// Variants of upstream's `type`, for a resource. PluginInternalError also covers a broken store, but a missing resource
// is by far its usual cause.
constexpr std::array meanings_of_variants{
    Meaning{"TokenNotFound", unauthorized},    Meaning{"TokenVerifierError", unauthorized},
    Meaning{"PolicyDeny", policy_denied},      Meaning{"PolicyEngineError", policy_denied},
    Meaning{"PluginInternalError", not_found}, Meaning{"PluginNotFound", not_found},
    Meaning{"InvalidRequestPath", not_found},  Meaning{"ResourceNotFound", not_found},
    Meaning{"JweError", unavailable},          Meaning{"AttestationError", unauthorized},
};

template <std::size_t N>
std::optional<KeyClientError> look_up(const std::array<Meaning, N>& table, std::string_view name) {
  for (const auto& row : table) {
    if (row.name == name) return row.error;
  }
  return std::nullopt;
}

KeyClientError meaning_at_auth(const Refusal& refusal, const ErrorInformation& info) {
  if (contains(info.detail, version_mismatch_text)) return version_mismatch;
  if (refusal.status == 404) return no_attestation_service;  // "Plugin auth not found"
  return info.variant() == "AttestationError" ? tee_refused : protocol;
}

KeyClientError meaning_at_attest(const Refusal& refusal, const ErrorInformation& info) {
  if (refusal.status == 404) return no_attestation_service;
  return info.variant() == "AttestationError" ? evidence_rejected : protocol;
}

KeyClientError meaning_at_resource(const Refusal& refusal, const ErrorInformation& info) {
  if (const auto known = look_up(meanings_of_variants, info.variant())) return *known;
  if (refusal.status == 404) return not_found;
  if (refusal.status == 403) return policy_denied;
  return refusal.status == 401 ? unauthorized : protocol;
}

KeyClientError meaning_of(const Refusal& refusal, const ErrorInformation& info) {
  if (const auto known = look_up(meanings_of_codes, short_code(info.code))) return *known;
  if (refusal.status == 429 || refusal.status >= 500) return unavailable;
  switch (refusal.step) {
    case Step::auth: return meaning_at_auth(refusal, info);
    case Step::attest: return meaning_at_attest(refusal, info);
    case Step::resource: return meaning_at_resource(refusal, info);
  }
  return protocol;
}

// What the person in front of the guest can do about it.
std::string_view advice_for(KeyClientError error) {
  switch (error) {
    case unreachable: return "check the address and that the broker runs there";
    case tls: return "give the broker's root certificate (token_configs.kbs.cert), or correct the address";
    case not_a_broker: return "check host, port and path of the broker's address";
    case unavailable: return "try again later, or look into the broker's log";
    case no_attestation_service:
      return "it is a passport-only (resource) broker: name the broker that issues tokens with --issuer-uri, or give "
             "this "
             "one an [attestation_service]";
    case version_mismatch: return "use a broker that speaks protocol 0.4.0 (Trustee from v0.14, or coffer-kbs)";
    case tee_refused: return "run on a TEE that the broker takes, or let its owner allow this one";
    case evidence_rejected:
      return "the broker's log, or `coffer explain --last` at the owner's, shows the claim that failed";
    case unauthorized: return "the broker must trust the issuer of the token, and the clocks must agree";
    case no_trust_anchor:
      return "its owner must configure [attestation_service] or [attestation_token] trusted_certs_paths";
    case policy_denied: return "the owner can see the deciding rule with `coffer explain --last`";
    case not_found: return "check the key id, or let the owner store it with `coffer resource set`";
    default: return "look into the broker's log";
  }
}

std::string_view what_happened(KeyClientError error) {
  switch (error) {
    case unavailable: return "cannot serve now";
    case no_attestation_service: return "has no attestation service";
    case version_mismatch: return "speaks another protocol version";
    case tee_refused: return "opens no session for TEE";
    case evidence_rejected: return "rejected the evidence of TEE";
    case unauthorized: return "accepts neither session nor token for";
    case no_trust_anchor: return "believes nobody, so it releases nothing:";
    case policy_denied: return "denies by policy the resource";
    case not_found: return "has no resource";
    default: return "gave an unexpected answer about";
  }
}

Error not_protocol(const Refusal& refusal) {
  const auto status = std::to_string(refusal.status);
  if (refusal.status == 429 || refusal.status >= 500) {
    return {unavailable, std::string{refusal.broker} + " cannot serve now: HTTP status " + status + "; " +
                             std::string{advice_for(unavailable)}};
  }
  if (refusal.step != Step::auth && refusal.status != 404) {
    return {protocol, std::string{refusal.broker} + " answered HTTP status " + status +
                          " without the protocol's JSON error; " + std::string{advice_for(protocol)}};
  }
  return {not_a_broker, std::string{refusal.broker} + " is not a key broker: it answered HTTP status " + status +
                            " without the protocol's JSON error; " + std::string{advice_for(not_a_broker)}};
}

// Text of a peer, cut to a length that fits a sentence, on one line.
std::string in_quotes(std::string_view text) {
  constexpr std::size_t longest = 400;
  return '"' + printable(text, longest) + '"';
}

constexpr std::size_t longest_name = 80;

}  // namespace

Error explain(const Refusal& refusal) {
  const auto info = ErrorInformation::parse(refusal.body);
  if (!info) return not_protocol(refusal);
  const auto meaning = meaning_of(refusal, *info);
  Error error{meaning, "broker " + std::string{refusal.broker} + " " + std::string{what_happened(meaning)} + " " +
                           std::string{refusal.subject} + " (it said " + in_quotes(info->detail) + "); " +
                           std::string{advice_for(meaning)}};
  error.context.emplace_back("status", std::to_string(refusal.status));
  error.context.emplace_back("type", printable(info->variant(), longest_name));
  if (!info->code.empty()) error.context.emplace_back("broker_code", printable(info->code, longest_name));
  return error;
}

Error explain(const Error& net_error, std::string_view broker) {
  auto meaning = unreachable;
  if (net_error.code == net::NetError::tls) meaning = tls;
  if (net_error.code == net::NetError::bad_url) meaning = bad_uri;
  if (net_error.code == net::NetError::protocol || net_error.code == net::NetError::redirect) meaning = not_a_broker;
  if (net_error.code == net::NetError::too_large) meaning = protocol;
  Error error{meaning, "broker " + std::string{broker} + " gave no usable answer: " + net_error.message + "; " +
                           std::string{advice_for(meaning)}};
  error.context.emplace_back("cause", std::string{net_error.code.name()});
  return error;
}

}  // namespace coffer::keyclient::detail
