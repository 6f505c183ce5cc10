// Reference values (trustee.md 1.1, 6.3). Registration answers 200 with an empty body though its type says JSON, and
// upstream's client relies on that.
#include "keybroker/endpoints.h"
#include "keybroker/refusal.h"

namespace coffer::keybroker::endpoints {
namespace {

namespace json = codec::json;

Error trouble(const Error& cause) {
  if (cause.code == ErrorCode{appraisal::AppraisalError::reference_conflict}) {
    return because(BrokerError::reference_value_conflict, cause.message, cause);
  }
  const bool unavailable = cause.code == ErrorCode{appraisal::AppraisalError::unavailable};
  return because(unavailable ? BrokerError::attestation_unavailable : BrokerError::reference_value_invalid,
                 cause.message, cause);
}

std::unexpected<Error> missing(const std::string& name) {
  return fail(BrokerError::reference_value_not_found, "there is no reference value " + name);
}

}  // namespace

Result<net::ServerResponse> register_reference_value(const Call& call) {
  auto* attestation = TRY(attestation_service(call));
  const auto admin = TRY(require_admin(call));
  const auto registered = attestation->register_reference_values(as_text(call.request.body));
  if (!registered) return fail(trouble(registered.error()));
  TRY(record_admin(call, "reference_value.set", admin, {}));
  return net::ServerResponse::text(200, "application/json", {});
}

Result<net::ServerResponse> get_reference_value(const Call& call) {
  auto* attestation = TRY(attestation_service(call));
  TRY(require_admin(call));
  const auto name = call.route.rest();
  if (name.empty()) {
    const auto values = attestation->list_reference_values();
    if (!values) return fail(trouble(values.error()));
    json::Array out;
    for (const auto& value : *values) out.push_back(value.to_json());
    return json_response(std::move(out));
  }
  const auto value = attestation->query_reference_value(name);
  if (!value) return fail(trouble(value.error()));
  const auto& known = *value;
  if (!known) return missing(name);
  return json_response(*known);
}

Result<net::ServerResponse> delete_reference_value(const Call& call) {
  auto* attestation = TRY(attestation_service(call));
  const auto admin = TRY(require_admin(call));
  const auto name = call.route.rest();
  const auto erased = attestation->delete_reference_value(name);
  if (!erased) return fail(trouble(erased.error()));
  if (!*erased) return missing(name);
  TRY(record_admin(call, "reference_value.delete", admin, name));
  return empty_response();
}

}  // namespace coffer::keybroker::endpoints
