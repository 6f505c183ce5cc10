// RCAR on the server's side: Request to Challenge, Attestation to Response (trustee.md 1.2 to 1.5).
#include <algorithm>

#include "base/log.h"
#include "codec/jose/jwk.h"
#include "codec/jose/jwt.h"
#include "evidence/collateral.h"
#include "evidence/composite.h"
#include "keybroker/endpoints.h"
#include "keybroker/explanation.h"
#include "keybroker/refusal.h"

namespace coffer::keybroker::endpoints {
namespace {

namespace jose = codec::jose;

// Bytes. A Request says a version, a TEE and a list of hash algorithms; it is stored as long as the session lives, and
// anyone may send one.
constexpr std::size_t max_request = 8192;

const std::string auth_failed = "RCAR handshake Auth failed: ";
const std::string attest_failed = "RCAR handshake Attest failed: ";

bool is(const Error& error, ErrorCode code) {
  return error.code == code;
}

// Puts upstream's words before a message, once.
Error prefixed(const std::string& prefix, Error error) {
  if (!error.message.starts_with(prefix)) error.message.insert(0, prefix);
  return error;
}

Result<> check_version(std::string_view version) {
  // Upstream matches "=0.4.0" by semantic versioning: build metadata does not count.
  if (version.substr(0, version.find('+')) == keyclient::protocol_version) return {};
  return fail(BrokerError::version_mismatch, std::string{keyclient::version_mismatch_text} +
                                                 ": expect =" + std::string{keyclient::protocol_version} +
                                                 " while the request is " + std::string{version.substr(0, 64)});
}

Error no_challenge(evidence::TeeKind tee, const Error& cause) {
  const std::string name{wire_name(tee)};
  if (is(cause, evidence::EvidenceError::tee_not_allowed)) {
    return because(BrokerError::tee_not_allowed,
                   "TEE " + name +
                       " proves nothing and is not accepted here; to try things out, its owner can start "
                       "coffer-kbs with --allow-tee " +
                       name +
                       " (accept the evidence) and --default-policy allow_all "
                       "(release resources to it)",
                   cause);
  }
  if (is(cause, evidence::EvidenceError::not_supported)) {
    return because(BrokerError::tee_not_supported, "TEE " + name + " has no verifier in this broker", cause);
  }
  if (is(cause, appraisal::AppraisalError::unavailable)) {
    return because(BrokerError::attestation_unavailable, "the attestation service does not answer", cause);
  }
  return because(BrokerError::handshake_malformed,
                 "no challenge for TEE " + name + ": " + appraisal::guest_message(cause), cause);
}

struct Opened {
  Session session;
  std::string body;
};

Result<Opened> open_session(const Call& call) {
  auto& services = call.services;
  if (call.request.body.size() > max_request) {
    return fail(BrokerError::handshake_malformed, "expected a request of at most " + std::to_string(max_request) +
                                                      " bytes, found " + std::to_string(call.request.body.size()));
  }
  auto request = keyclient::Request::parse(as_text(call.request.body));
  if (!request) return fail(because(BrokerError::handshake_malformed, request.error().message, request.error()));
  TRY(check_version(request->version));
  const auto tee = evidence::parse_tee_kind(request->tee);
  if (!tee) return fail(because(BrokerError::unknown_tee, tee.error().message, tee.error()));
  auto challenge = services.attestation->challenge(*tee, request->extra_params);
  if (!challenge) return fail(no_challenge(*tee, challenge.error()));
  const keyclient::Challenge answer{.nonce = challenge->nonce, .extra_params = challenge->extra_params};
  const auto expires = services.clock.now() + services.config.attestation.session_timeout;
  auto session = Session::open(SessionId::generate(services.random), *std::move(request), answer, expires);
  TRY(services.sessions.insert(session));
  return Opened{std::move(session), answer.serialize()};
}

net::ServerResponse with_cookie(std::string_view body, const Session& session, TimePoint now) {
  auto response = net::ServerResponse::text(200, "application/json", body);
  response.headers.set("Set-Cookie", set_cookie(session, now));
  return response;
}

Result<Session> find_session(const Call& call) {
  const auto cookie = session_cookie(call.request.headers);
  if (!cookie) {
    return fail(BrokerError::session_missing,
                "no cookie " + std::string{keyclient::session_cookie_name} + "; begin with POST /kbs/v0/auth");
  }
  return call.services.sessions.find(TRY(SessionId::parse(*cookie)));
}

struct Submission {
  evidence::TeeKind tee;
  appraisal::EvaluationRequest evaluation;
};

// A response must be encryptable to the guest's key, so a key that is not usable is refused here and not at the
// resource.
Result<Submission> read_submission(const Session& session, keyclient::Attestation attestation) {
  const auto malformed = [](const Error& cause) {
    return fail(because(BrokerError::handshake_malformed, cause.message, cause));
  };
  const auto key = jose::parse_jwk(attestation.tee_pubkey);
  if (!key) return malformed(key.error());
  const auto tee = evidence::parse_tee_kind(session.request().tee);
  if (!tee) return malformed(tee.error());
  const auto runtime =
      evidence::RuntimeData::create(attestation.nonce, attestation.tee_pubkey, attestation.additional_evidence);
  if (!runtime) return malformed(runtime.error());
  std::optional<evidence::InitData> init_data;
  if (attestation.init_data) {
    auto parsed = evidence::InitData::from_wire(*attestation.init_data);
    if (!parsed) return malformed(parsed.error());
    init_data = *std::move(parsed);
  }
  auto evaluation = appraisal::rcar_evaluation(*tee, std::move(attestation.primary_evidence), *runtime, init_data);
  if (!evaluation) return malformed(evaluation.error());
  return Submission{*tee, *std::move(evaluation)};
}

// Evidence that was judged and found wanting spends its nonce; a service that did not answer does not.
Error rejected(const Call& call, const Session& session, evidence::TeeKind tee, const Error& cause) {
  auto& services = call.services;
  const std::string name{wire_name(tee)};
  if (is(cause, appraisal::AppraisalError::unavailable)) {
    services.handshake_metrics.errors.increment();
    return because(BrokerError::attestation_unavailable, "the attestation service does not answer", cause);
  }
  // Trouble at a vendor's service says nothing of the guest, which is told so by the code and may come again with the
  // same nonce. A machine that the vendor does not know is another matter.
  const auto without_endorsement = cause.code.name().starts_with("collateral.");
  if (without_endorsement && !is(cause, evidence::CollateralError::not_found)) {
    services.handshake_metrics.errors.increment();
    return because(cause.code, appraisal::guest_message(cause), cause);
  }
  services.handshake_metrics.failures.increment({name});
  if (const auto erased = services.sessions.erase(session.id()); !erased) return erased.error();
  const ErrorCode code = without_endorsement ? cause.code : BrokerError::evidence_rejected;
  return because(code, appraisal::guest_message(cause), cause);
}

TimePoint expiry_of(std::string_view token, TimePoint fallback) {
  const auto jwt = jose::UnverifiedJwt::parse(token);
  const auto* exp = jwt ? jwt->claims.find("exp") : nullptr;
  const auto seconds = exp != nullptr ? exp->if_int64() : std::nullopt;
  constexpr std::int64_t far = 253402300799;  // the end of year 9999, where RFC 3339 ends
  return seconds ? from_unix_seconds(std::clamp<std::int64_t>(*seconds, 0, far)) : fallback;
}

std::string_view warning_of(const appraisal::EvaluationOutcome& outcome) {
  if (outcome.sample) return "SAMPLE evidence, which proves nothing, was accepted";
  if (outcome.simulated) return "SIMULATED evidence, which proves nothing, was accepted";
  return "";
}

Result<> record_attestation(const Call& call, const Session& session, evidence::TeeKind tee,
                            const appraisal::EvaluationOutcome& outcome) {
  auto& services = call.services;
  const IssuedToken issued{.session = session.id().text(),
                           .tee = std::string{wire_name(tee)},
                           .expires = expiry_of(outcome.token, session.expires()),
                           .explanation = explain_appraisal(outcome)};
  TRY(services.issued.remember(outcome.token, issued));
  const auto jwt = jose::UnverifiedJwt::parse(outcome.token);
  const auto summary = jwt ? summarize(jwt->claims) : EvidenceSummary{};
  TRY(services.audit.append({.action = "attest",
                             .decision = Decision::attested,
                             .session = issued.session,
                             .peer = call.request.peer,
                             .tee = issued.tee,
                             .status = summary.status,
                             .claims_sha256 = summary.claims_sha256,
                             .token_sha256 = token_id(outcome.token),
                             .explanation = issued.explanation}));
  log::info("broker.attested", warning_of(outcome),
            {{"session", issued.session}, {"tee", issued.tee}, {"status", summary.status}});
  return {};
}

Result<net::ServerResponse> accept_evidence(const Call& call, const Session& session) {
  auto& services = call.services;
  auto attestation = keyclient::Attestation::parse(as_text(call.request.body));
  if (!attestation)
    return fail(because(BrokerError::handshake_malformed, attestation.error().message, attestation.error()));
  TRY(session.accept(attestation->nonce, services.clock.now()));
  const auto submission = TRY(read_submission(session, *std::move(attestation)));
  const auto outcome = services.attestation->evaluate(submission.evaluation);
  if (!outcome) return fail(rejected(call, session, submission.tee, outcome.error()));
  const auto attested = session.attest(outcome->token);
  TRY(services.sessions.replace(session, attested));
  TRY(record_attestation(call, session, submission.tee, *outcome));
  services.handshake_metrics.successes.increment({wire_name(submission.tee)});
  return with_cookie(keyclient::AttestationResponse{outcome->token}.serialize(), attested, services.clock.now());
}

}  // namespace

Result<net::ServerResponse> auth(const Call& call) {
  TRY(attestation_service(call));
  auto& metrics = call.services.handshake_metrics;
  metrics.auth_requests.increment();
  auto opened = open_session(call);
  if (!opened) {
    metrics.auth_errors.increment();
    return fail(prefixed(auth_failed, std::move(opened).error()));
  }
  metrics.auth_successes.increment();
  return with_cookie(opened->body, opened->session, call.services.clock.now());
}

Result<net::ServerResponse> attest(const Call& call) {
  TRY(attestation_service(call));
  call.services.handshake_metrics.requests.increment();
  const auto session = find_session(call);
  auto answer =
      session ? accept_evidence(call, *session) : Result<net::ServerResponse>{std::unexpected(session.error())};
  if (answer) return answer;
  record_denial(call,
                {.action = "attest",
                 .session = session ? session->id().text() : "",
                 .tee = session && !session->attested() ? session->request().tee : ""},
                answer.error());
  return fail(prefixed(attest_failed, std::move(answer).error()));
}

}  // namespace coffer::keybroker::endpoints
