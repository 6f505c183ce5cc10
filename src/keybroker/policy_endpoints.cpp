// Resource and attestation policies: set as upstream does; read back, listed and removed by endpoints of our own.
#include "codec/base64.h"
#include "keybroker/endpoints.h"
#include "keybroker/refusal.h"

namespace coffer::keybroker::endpoints {
namespace {

namespace json = codec::json;

struct Upload {
  std::string id;  // empty where the body has none
  std::string text;
};

// {"policy_id"?,"policy":"<base64url of Rego>"}; other members, such as upstream's older "type", are ignored.
Result<Upload> read_upload(const Call& call) {
  const auto malformed = [](const Error& cause) {
    return fail(because(BrokerError::bad_request, cause.message, cause));
  };
  const auto document = json::parse(as_text(call.request.body));
  if (!document) return malformed(document.error());
  const auto object = document->as_object("policy upload");
  if (!object) return malformed(object.error());
  const auto id = json::optional_string_member(**object, "policy_id", "policy upload");
  if (!id) return malformed(id.error());
  const auto policy = json::string_member(**object, "policy", "policy upload");
  if (!policy) return malformed(policy.error());
  const auto text = codec::base64_decode_lenient(*policy);
  if (!text) return malformed(text.error());
  return Upload{id->value_or(""), to_text(*text)};
}

net::ServerResponse rego(std::string_view text) {
  return net::ServerResponse::text(200, "text/plain", text);
}

bool is_unavailable(const Error& error) {
  return error.code == ErrorCode{appraisal::AppraisalError::unavailable};
}

Error policy_trouble(const Error& cause) {
  const auto code = is_unavailable(cause) ? BrokerError::attestation_unavailable : BrokerError::policy_invalid;
  return because(code, cause.message, cause);
}

std::unexpected<Error> no_policy(const std::string& id) {
  return fail(BrokerError::policy_not_found, "there is no policy " + id);
}

}  // namespace

Result<net::ServerResponse> set_resource_policy(const Call& call) {
  const auto admin = TRY(require_admin(call));
  const auto upload = TRY(read_upload(call));
  TRY(call.services.policies->set(upload.text));
  TRY(record_admin(call, "policy.set", admin, std::string{resource_policy_id}));
  return empty_response();
}

Result<net::ServerResponse> get_resource_policy(const Call& call) {
  TRY(require_admin(call));
  const auto id = call.route.rest();
  if (id.empty() && !call.route.query.contains("text")) return json_response(json::Array{resource_policy_id});
  if (!id.empty() && id != resource_policy_id) return no_policy(id);
  return rego(TRY(call.services.policies->text()));
}

Result<net::ServerResponse> delete_resource_policy(const Call& call) {
  const auto admin = TRY(require_admin(call));
  // Whoever means another policy must not lose this one: what then guards resources may allow more.
  if (const auto id = call.route.rest(); !id.empty() && id != resource_policy_id) return no_policy(id);
  TRY(call.services.policies->reset());
  TRY(record_admin(call, "policy.reset", admin, std::string{resource_policy_id}));
  return empty_response();
}

Result<net::ServerResponse> set_attestation_policy(const Call& call) {
  auto* attestation = TRY(attestation_service(call));
  const auto admin = TRY(require_admin(call));
  const auto upload = TRY(read_upload(call));
  if (upload.id.empty()) return fail(BrokerError::bad_request, "policy upload.policy_id: expected a name, found none");
  const auto set = attestation->set_policy(upload.id, upload.text);
  if (!set) return fail(policy_trouble(set.error()));
  TRY(record_admin(call, "attestation_policy.set", admin, upload.id));
  return empty_response();
}

Result<net::ServerResponse> get_attestation_policy(const Call& call) {
  auto* attestation = TRY(attestation_service(call));
  TRY(require_admin(call));
  const auto id = call.route.rest();
  if (id.empty()) {
    const auto ids = attestation->list_policies();
    if (!ids) return fail(policy_trouble(ids.error()));
    return json_response(json::Array{ids->begin(), ids->end()});
  }
  const auto text = attestation->get_policy(id);
  if (!text) return fail(policy_trouble(text.error()));
  const auto& policy = *text;
  if (!policy) return no_policy(id);
  return rego(*policy);
}

Result<net::ServerResponse> delete_attestation_policy(const Call& call) {
  auto* attestation = TRY(attestation_service(call));
  const auto admin = TRY(require_admin(call));
  const auto id = call.route.rest();
  const auto erased = attestation->delete_policy(id);
  if (!erased) return fail(policy_trouble(erased.error()));
  if (!*erased) return no_policy(id);
  TRY(record_admin(call, "attestation_policy.delete", admin, id));
  return empty_response();
}

}  // namespace coffer::keybroker::endpoints
