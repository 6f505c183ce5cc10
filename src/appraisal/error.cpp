#include "appraisal/error.h"

#include <array>

#include "evidence/collateral.h"
#include "evidence/tee.h"

namespace coffer::appraisal {

std::string_view code_name(AppraisalError code) {
  switch (code) {
    case AppraisalError::bad_request: return "appraisal.bad_request";
    case AppraisalError::bad_policy_id: return "appraisal.bad_policy_id";
    case AppraisalError::unknown_policy: return "appraisal.unknown_policy";
    case AppraisalError::bad_trust_claims: return "appraisal.bad_trust_claims";
    case AppraisalError::undecided: return "appraisal.undecided";
    case AppraisalError::bad_reference_message: return "appraisal.bad_reference_message";
    case AppraisalError::unsupported_reference: return "appraisal.unsupported_reference";
    case AppraisalError::bad_reference_name: return "appraisal.bad_reference_name";
    case AppraisalError::reference_conflict: return "appraisal.reference_conflict";
    case AppraisalError::bad_signer: return "appraisal.bad_signer";
    case AppraisalError::not_supported: return "appraisal.not_supported";
    case AppraisalError::unavailable: return "appraisal.unavailable";
    case AppraisalError::refused: return "appraisal.refused";
    case AppraisalError::bad_response: return "appraisal.bad_response";
  }
  return "appraisal.unknown";
}

std::string_view code_name(TokenError code) {
  switch (code) {
    case TokenError::malformed: return "token.malformed";
    case TokenError::too_large: return "token.too_large";
    case TokenError::no_anchor: return "token.no_anchor";
    case TokenError::no_trusted_certificate: return "token.no_trusted_certificate";
    case TokenError::missing_x5c: return "token.missing_x5c";
    case TokenError::bad_x5c: return "token.bad_x5c";
    case TokenError::key_mismatch: return "token.key_mismatch";
    case TokenError::untrusted_chain: return "token.untrusted_chain";
    case TokenError::bad_jwk: return "token.bad_jwk";
    case TokenError::no_key_id: return "token.no_key_id";
    case TokenError::unknown_key_id: return "token.unknown_key_id";
    case TokenError::algorithm_not_allowed: return "token.algorithm_not_allowed";
    case TokenError::bad_signature: return "token.bad_signature";
    case TokenError::expired: return "token.expired";
    case TokenError::missing_exp: return "token.missing_exp";
    case TokenError::no_tee_key: return "token.no_tee_key";
    case TokenError::bad_anchor: return "token.bad_anchor";
  }
  return "token.unknown";
}

namespace {

using evidence::CollateralError;
using evidence::EvidenceError;

struct GuestText {
  ErrorCode code;
  std::string_view text;
};

const std::array guest_texts{
    GuestText{EvidenceError::unknown_tee, "the kind of TEE is unknown here"},
    GuestText{EvidenceError::tee_not_allowed, "this kind of TEE is not accepted here"},
    GuestText{EvidenceError::not_supported, "this kind of TEE cannot be verified here"},
    GuestText{EvidenceError::malformed, "the evidence does not have the form of its TEE"},
    GuestText{EvidenceError::report_data_mismatch, "the evidence is not bound to this session's runtime data"},
    GuestText{EvidenceError::init_data_mismatch, "the evidence is not bound to the init-data that was sent"},
    GuestText{EvidenceError::bad_signature, "the evidence's signature does not verify"},
    GuestText{EvidenceError::bad_runtime_data, "the runtime data is malformed"},
    GuestText{EvidenceError::bad_init_data, "the init-data is malformed"},
    GuestText{EvidenceError::unsupported_hash, "no common hash algorithm"},
    GuestText{CollateralError::unreachable, "the service that endorses this machine does not answer; try again later"},
    GuestText{CollateralError::rate_limited,
              "the service that endorses this machine limits how often it is asked; try again later"},
    GuestText{CollateralError::not_found, "the service that endorses such machines does not know this one"},
    GuestText{CollateralError::malformed, "the service that endorses this machine does not answer as it should"},
    GuestText{CollateralError::expired, "the service that endorses this machine has only what has expired"},
    GuestText{AppraisalError::unavailable, "the attestation service cannot be reached; try again later"},
    GuestText{AppraisalError::refused, "the attestation service refused the evidence"},
    GuestText{AppraisalError::unknown_policy, "no appraisal policy is set for this kind of device"},
    GuestText{TokenError::expired, "the attestation token has expired; attest again"},
    GuestText{TokenError::no_anchor, "this broker trusts no attestation token issuer"},
    GuestText{TokenError::no_trusted_certificate, "this broker trusts no certificate for attestation tokens"},
    GuestText{TokenError::untrusted_chain, "the attestation token's issuer is not trusted here"},
    GuestText{TokenError::no_tee_key, "the attestation token carries no TEE public key"},
};

}  // namespace

std::string guest_message(const Error& error) {
  for (const auto& [code, text] : guest_texts) {
    if (code == error.code) return std::string{text};
  }
  if (error.code.name().starts_with("token.")) return "the attestation token is not accepted";
  return "the evidence could not be appraised";
}

}  // namespace coffer::appraisal
