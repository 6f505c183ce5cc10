#include "appraisal/grpc/conversion.h"

#include "attestation.pb.h"
#include "codec/base64.h"

namespace coffer::appraisal::grpc {

namespace json = codec::json;

namespace {

Error bad(std::string_view field, const Error& why) {
  return Error{AppraisalError::bad_request, std::string{field} + ": " + why.message};
}

Result<Bytes> decode(std::string_view field, std::string_view text) {
  auto bytes = codec::base64_decode_lenient(text);
  if (!bytes) return fail(bad(field, bytes.error()));
  return *std::move(bytes);
}

Result<json::Value> parse(std::string_view field, std::string_view text) {
  auto value = json::parse(text);
  if (!value) return fail(bad(field, value.error()));
  return *std::move(value);
}

Result<> read_runtime_data(const attestation::IndividualAttestationRequest& message, EvidenceRequest& out) {
  if (message.has_raw_runtime_data()) {
    out.runtime_data = TRY(decode("raw_runtime_data", message.raw_runtime_data()));
  } else if (message.has_structured_runtime_data()) {
    out.runtime_data = TRY(parse("structured_runtime_data", message.structured_runtime_data()));
  }
  return {};
}

Result<> read_init_data(const attestation::IndividualAttestationRequest& message, EvidenceRequest& out) {
  if (message.has_init_data_digest()) {
    out.init_data = TRY(decode("init_data_digest", message.init_data_digest()));
  } else if (message.has_init_data_toml()) {
    out.init_data = TRY(evidence::InitData::parse(message.init_data_toml()));
  }
  return {};
}

Result<EvidenceRequest> to_evidence(const attestation::IndividualAttestationRequest& message) {
  const auto kind = TRY(evidence::parse_tee_kind(message.tee()));
  EvidenceRequest out{.tee = kind, .evidence = {}};
  const auto text = TRY(decode("evidence", message.evidence()));
  out.evidence = TRY(parse("evidence", as_text(text)));
  TRY(read_runtime_data(message, out));
  TRY(read_init_data(message, out));
  const auto& hash = message.runtime_data_hash_algorithm();
  if (!hash.empty()) out.hash = TRY(evidence::parse_binding_hash(hash));
  return out;
}

}  // namespace

Result<EvaluationRequest> to_request(const attestation::AttestationRequest& message) {
  EvaluationRequest out;
  for (const auto& each : message.verification_requests()) out.evidence.push_back(TRY(to_evidence(each)));
  out.policy_ids.assign(message.policy_ids().begin(), message.policy_ids().end());
  return out;
}

Result<std::string> to_policy_text(std::string_view base64url) {
  return to_text(TRY(decode("policy", base64url)));
}

}  // namespace coffer::appraisal::grpc
