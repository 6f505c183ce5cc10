// Resources: released to attested guests under the owner's policy, written by administrators (trustee.md 1.1, 4, 5.2).
#include "base/log.h"
#include "codec/jose/jwe.h"
#include "keybroker/endpoints.h"
#include "keybroker/explanation.h"
#include "keybroker/refusal.h"

namespace coffer::keybroker::endpoints {
namespace {

namespace jose = codec::jose;
namespace json = codec::json;

Result<ResourcePath> resource_path(const Call& call) {
  return ResourcePath::create({call.route.segments.begin() + 1, call.route.segments.end()});
}

// A read on its way: what the record of its release or denial will say grows as it is learnt.
struct Read {
  const Call& call;
  ResourcePath path;
  AuditRecord record;
};

Result<std::shared_ptr<const appraisal::VerifiedToken>> identify(Read& read) {
  auto& services = read.call.services;
  const auto now = services.clock.now();
  const auto credential = TRY(services.tokens.find(read.call.request.headers, now));
  read.record.session = credential.session;
  read.record.token_sha256 = token_id(credential.token);
  auto token = TRY(services.tokens.verify(credential, now));
  const auto summary = summarize(token->claims());
  read.record.tee = summary.tee;
  read.record.status = summary.status;
  read.record.claims_sha256 = summary.claims_sha256;
  // A Bearer token that this broker issued belongs to a session all the same.
  const auto issued = TRY(services.issued.find(credential.token));
  if (issued) {
    read.record.session = issued->session;
    read.record.explanation = issued->explanation;
  } else {
    read.record.explanation = explain_token(token->claims());
  }
  return token;
}

// The appraisal's reasons stay behind the policy's own, because the policy may have asked for an affirming appraisal.
void add_policy_reasons(Read& read, const PolicyVerdict& verdict) {
  read.record.policy_id = verdict.policy_id;
  read.record.policy_sha256 = verdict.policy_sha256;
  auto reasons = explain_policy(verdict.policy_id, verdict.conditions);
  if (!verdict.allowed) {
    for (auto& reason : read.record.explanation) reasons.push_back(std::move(reason));
  }
  read.record.explanation = std::move(reasons);
}

Result<> authorize(Read& read, json::Object claims) {
  auto& services = read.call.services;
  auto& metrics = services.resource_metrics;
  json::Object query;
  for (const auto& [name, value] : read.call.route.query) query.set(name, value);
  metrics.policy_evaluations.increment();
  const auto verdict = services.policies->evaluate(
      {.claims = std::move(claims), .path = read.path.segments(), .query = std::move(query)});
  if (!verdict) {
    metrics.policy_errors.increment();
    return fail(verdict.error());
  }
  add_policy_reasons(read, *verdict);
  (verdict->allowed ? metrics.policy_approvals : metrics.policy_violations).increment();
  if (verdict->allowed) return {};
  return fail(BrokerError::policy_denied, "Access denied by policy");
}

std::optional<jose::KeyManagement> key_management(const jose::Jwk& key) {
  const auto named = key.alg ? jose::parse_key_management(*key.alg) : std::nullopt;
  const bool rsa = key.key.kind() == crypto::KeyKind::rsa;
  if (!key.alg) return rsa ? jose::KeyManagement::rsa_oaep_256 : jose::KeyManagement::ecdh_es_a256kw;
  switch (named.value_or(jose::KeyManagement::dir)) {
    case jose::KeyManagement::rsa_oaep_256:
    case jose::KeyManagement::rsa1_5: return rsa ? named : std::nullopt;
    case jose::KeyManagement::ecdh_es_a256kw: return rsa ? std::nullopt : named;
    default: return std::nullopt;
  }
}

Result<std::string> seal(const appraisal::VerifiedToken& token, ByteView secret) {
  const auto& key = token.response_key();
  if (!key && key.error().code == ErrorCode{appraisal::TokenError::no_tee_key}) {
    return fail(because(BrokerError::tee_key_missing, "the token carries no TEE public key", key.error()));
  }
  if (!key) return fail(because(BrokerError::response_failed, "the TEE public key cannot be used", key.error()));
  const auto algorithm = key_management(*key);
  if (!algorithm) {
    return fail(BrokerError::response_failed,
                "expected a TEE key for ECDH-ES+A256KW, RSA-OAEP-256 or RSA1_5, found " + key->alg.value_or("none"));
  }
  auto text = jose::encrypt_flattened(secret, key->key, *algorithm);
  if (!text) return fail(because(BrokerError::response_failed, "the resource could not be encrypted", text.error()));
  return text;
}

// The record is durable before the secret leaves: what cannot be recorded is not released.
Result<> record_release(Read& read) {
  read.record.decision = Decision::released;
  read.record.peer = read.call.request.peer;
  const auto id = TRY(read.call.services.audit.append(read.record));
  read.call.services.resource_metrics.reads.increment({read.record.resource});
  log::info("broker.released", {},
            {{"resource", read.record.resource},
             {"session", read.record.session},
             {"tee", read.record.tee},
             {"peer", read.record.peer},
             {"audit", id}});
  return {};
}

Result<net::ServerResponse> release(Read& read) {
  const auto token = TRY(identify(read));
  TRY(authorize(read, token->claims()));
  const auto secret = TRY(read.call.services.resources.get(read.path));
  const auto text = TRY(seal(*token, secret.expose()));
  TRY(record_release(read));
  return net::ServerResponse::text(200, "application/json", text);
}

// Only where the owner switched it on by name and no trust anchor exists (see Broker::create): plaintext for anyone.
Result<net::ServerResponse> release_unattested(Read& read) {
  log::warn("broker.unattested_read", "a resource is served in plaintext WITHOUT ATTESTATION (unattested_reads)",
            {{"resource", read.record.resource}, {"peer", read.call.request.peer}});
  read.record.reason = "unattested_reads";
  const auto secret = TRY(read.call.services.resources.get(read.path));
  TRY(record_release(read));
  return net::ServerResponse::text(200, "application/octet-stream", as_text(secret.expose()));
}

bool worth_a_record(const Error& error) {
  return error.code != ErrorCode{BrokerError::token_missing};
}

// An upstream client asks without a token first and attests when it is refused: that is no denial.
Result<net::ServerResponse> read_resource(const Call& call) {
  Read read {
    .call = call, .path = TRY(resource_path(call))
    , .record = {.action = "resource.get"}
  };
  read.record.resource = read.path.text();
  const bool open = call.services.config.coffer.unattested_reads && call.services.mode() == Mode::no_trust_anchor;
  auto answer = open ? release_unattested(read) : release(read);
  if (!answer && worth_a_record(answer.error())) record_denial(call, std::move(read.record), answer.error());
  return answer;
}

Result<net::ServerResponse> counted(const Call& call, Endpoint endpoint) {
  auto& metrics = call.services.resource_metrics;
  const auto begin = call.services.clock.now();
  metrics.plugin_requests.increment({"resource"});
  auto answer = endpoint(call);
  if (!answer) metrics.plugin_errors.increment({"resource"});
  metrics.plugin_duration.observe(std::chrono::duration<double>(call.services.clock.now() - begin).count(),
                                  {"resource"});
  return answer;
}

Result<net::ServerResponse> write_resource(const Call& call) {
  const auto admin = TRY(require_admin(call));
  const auto path = TRY(resource_path(call));
  if (call.request.body.empty()) {
    log::warn("broker.empty_resource", "an empty resource was stored; no guest can use it as a key",
              {{"resource", path.text()}});
  }
  TRY(call.services.resources.put(path, call.request.body));
  TRY(record_admin(call, "resource.set", admin, path.text()));
  call.services.resource_metrics.writes.increment({path.text()});
  return empty_response();
}

Result<net::ServerResponse> erase_resource(const Call& call) {
  const auto admin = TRY(require_admin(call));
  const auto path = TRY(resource_path(call));
  TRY(call.services.resources.erase(path));
  TRY(record_admin(call, "resource.delete", admin, path.text()));
  call.services.resource_metrics.deletes.increment({path.text()});
  return empty_response();
}

}  // namespace

Result<net::ServerResponse> get_resource(const Call& call) {
  return counted(call, read_resource);
}
Result<net::ServerResponse> set_resource(const Call& call) {
  return counted(call, write_resource);
}
Result<net::ServerResponse> delete_resource(const Call& call) {
  return counted(call, erase_resource);
}

Result<net::ServerResponse> list_resources(const Call& call) {
  TRY(require_admin(call));
  const auto limit = TRY(count_parameter(call, "limit", 1000, 10'000));
  const auto names =
      TRY(call.services.resources.list(text_parameter(call, "prefix"), text_parameter(call, "after"), limit));
  return json_response(json::Array{names.begin(), names.end()});
}

}  // namespace coffer::keybroker::endpoints
