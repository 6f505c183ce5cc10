// RCAR: Request, Challenge, Attestation, Response (trustee.md 1.2 to 1.5), with the token kept while it lives.
#include <algorithm>
#include <condition_variable>
#include <exception>
#include <mutex>

#include "base/log.h"
#include "codec/jose/jwk.h"
#include "codec/jose/jwt.h"
#include "evidence/composite.h"
#include "evidence/runtime_data.h"
#include "keyclient/detail/broker_api.h"
#include "keyclient/kbs_client.h"
#include "net/trace.h"

namespace coffer::keyclient {
namespace {

std::string_view jwk_algorithm(TeeKeyAlgorithm algorithm) {
  return algorithm == TeeKeyAlgorithm::rsa_2048 ? "RSA-OAEP-256" : "ECDH-ES+A256KW";
}

crypto::KeyKind key_kind(TeeKeyAlgorithm algorithm) {
  switch (algorithm) {
    case TeeKeyAlgorithm::ecdh_p256: return crypto::KeyKind::ec_p256;
    case TeeKeyAlgorithm::ecdh_p521: return crypto::KeyKind::ec_p521;
    case TeeKeyAlgorithm::rsa_2048: return crypto::KeyKind::rsa;
  }
  return crypto::KeyKind::ec_p256;
}

// How long the token lives: by its own issue time where it has one, so that a guest whose clock is wrong neither keeps
// a dead token nor throws every live one away. Without `exp` it is good for one use.
Duration lifetime_of(const codec::json::Object& claims, TimePoint now) {
  const auto seconds = [&](std::string_view name) -> std::optional<std::int64_t> {
    const auto* value = claims.find(name);
    return value == nullptr ? std::nullopt : value->if_int64();
  };
  constexpr std::int64_t longest = 366LL * 24 * 3600;
  const auto expires = seconds("exp");
  if (!expires) return Duration{0};
  const auto issued = seconds("iat").value_or(to_unix_seconds(now));
  if (*expires <= issued || issued < 0) return Duration{0};
  return std::chrono::seconds{std::min(*expires - issued, longest)};
}

Error attester_failure(const Error& cause) {
  return Error{KeyClientError::attester_failed, "this machine could not make evidence: " + cause.message}.with(
      "cause", std::string{cause.code.name()});
}

}  // namespace

std::string_view name_of(TeeKeyAlgorithm algorithm) {
  switch (algorithm) {
    case TeeKeyAlgorithm::ecdh_p256: return "ECDH-ES+A256KW-P256";
    case TeeKeyAlgorithm::ecdh_p521: return "ECDH-ES+A256KW-P521";
    case TeeKeyAlgorithm::rsa_2048: return "RSA-OAEP-256";
  }
  return "unknown";
}

Result<TeeKeyAlgorithm> parse_tee_key_algorithm(std::string_view name) {
  for (const auto algorithm : {TeeKeyAlgorithm::ecdh_p256, TeeKeyAlgorithm::ecdh_p521, TeeKeyAlgorithm::rsa_2048}) {
    if (name_of(algorithm) == name) return algorithm;
  }
  return fail(KeyClientError::config_value,
              "TEE key algorithm \"" + std::string{name} +
                  "\" is unknown; expected ECDH-ES+A256KW-P256, ECDH-ES+A256KW-P521 or RSA-OAEP-256");
}

struct HandshakeTokenSource::Impl {
  detail::BrokerApi api;
  const evidence::Attester& attester;
  HandshakeOptions options;

  // One handshake that runs, and those who wait for it.
  struct Flight {
    bool done = false;
    Result<std::shared_ptr<const AttestedToken>> result{nullptr};
  };
  std::mutex mutex;
  std::condition_variable landed;
  std::shared_ptr<Flight> flight;
  std::shared_ptr<const AttestedToken> current;
  TimePoint renew_at;
  unsigned started = 0;

  Impl(detail::BrokerApi broker, const evidence::Attester& tee, HandshakeOptions chosen)
      : api(std::move(broker)), attester(tee), options(std::move(chosen)) {}

  TimePoint now() const { return (options.clock != nullptr ? *options.clock : system_clock()).now(); }
  std::string tee() const { return std::string{evidence::wire_name(attester.kind())}; }

  Result<Attestation> attestation_for(const Challenge& challenge, const crypto::PrivateKey& key) const;
  Result<std::shared_ptr<const AttestedToken>> handshake_once() const;
  Result<std::shared_ptr<const AttestedToken>> handshake() const;
  Result<std::shared_ptr<const AttestedToken>> land(Flight& mine, Result<std::shared_ptr<const AttestedToken>> result);
};

Result<Attestation> HandshakeTokenSource::Impl::attestation_for(const Challenge& challenge,
                                                                const crypto::PrivateKey& key) const {
  const auto hash = TRY(evidence::selected_hash_algorithm(challenge.extra_params));
  const auto jwk = codec::jose::to_jwk(key.public_key(), jwk_algorithm(options.tee_key));
  const auto devices_data = TRY(evidence::RuntimeData::create(challenge.nonce, jwk));
  const auto additional = TRY(evidence::collect_additional_evidence(options.devices, devices_data.device_digest(hash)));
  const auto runtime_data = TRY(devices_data.with_additional_evidence(additional));
  Attestation out;
  if (options.init_data) out.init_data = options.init_data->to_wire();
  out.nonce = challenge.nonce;
  out.tee_pubkey = runtime_data.tee_pubkey();
  out.primary_evidence = TRY(attester.attest(runtime_data.primary_digest(hash)));
  out.additional_evidence = additional;
  return out;
}

Result<std::shared_ptr<const AttestedToken>> HandshakeTokenSource::Impl::handshake_once() const {
  const auto session = TRY(api.open({.tee = tee(), .extra_params = evidence::offered_hash_algorithms()}));
  auto key = crypto::PrivateKey::generate(key_kind(options.tee_key));
  if (!key) return fail(attester_failure(key.error()));
  const auto attestation = attestation_for(session.challenge, *key);
  if (!attestation) return fail(attester_failure(attestation.error()));
  auto answer = TRY(api.attest(*attestation, session.cookie, tee()));
  const auto claims = codec::jose::UnverifiedJwt::parse(answer.token);
  if (!claims) {
    return fail(KeyClientError::protocol,
                "broker " + api.url() + " gave a token that is none: " + claims.error().message);
  }
  const auto received = now();
  return std::make_shared<const AttestedToken>(
      AttestedToken{std::move(answer.token), std::make_shared<const crypto::PrivateKey>(std::move(*key)),
                    received + lifetime_of(claims->claims, received), session.cookie, tee()});
}

// A broker that was restarted between auth and attest does not know the session any more: that alone is worth a second
// handshake.
Result<std::shared_ptr<const AttestedToken>> HandshakeTokenSource::Impl::handshake() const {
  log::info("keyclient.handshake", "attesting to the broker", {{"broker", api.url()}, {"tee", tee()}});
  net::TraceStep step{"attestation", net::SpanKind::client};
  step.span().set("tee", tee());
  auto token = handshake_once();
  if (!token && token.error().code == KeyClientError::unauthorized) token = handshake_once();
  step.span().note(token);
  return token;
}

// Hands the result to all who wait. Called with the mutex held.
Result<std::shared_ptr<const AttestedToken>> HandshakeTokenSource::Impl::land(
    Flight& mine, Result<std::shared_ptr<const AttestedToken>> result) {
  if (result) {
    current = *result;
    const auto left = current->expires - now();
    renew_at = current->expires - std::min(options.renew_before, left / 4);
  }
  mine.result = result;
  mine.done = true;
  flight.reset();
  landed.notify_all();
  return result;
}

HandshakeTokenSource::HandshakeTokenSource(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
HandshakeTokenSource::~HandshakeTokenSource() = default;

Result<std::shared_ptr<HandshakeTokenSource>> HandshakeTokenSource::create(BrokerOptions broker,
                                                                           const evidence::Attester& attester,
                                                                           HandshakeOptions options) {
  auto api = TRY(detail::BrokerApi::create(std::move(broker)));
  return std::shared_ptr<HandshakeTokenSource>{
      new HandshakeTokenSource(std::make_unique<Impl>(std::move(api), attester, std::move(options)))};
}

Result<std::shared_ptr<const AttestedToken>> HandshakeTokenSource::token() {
  std::unique_lock lock{impl_->mutex};
  if (impl_->current && impl_->now() < impl_->renew_at) return impl_->current;
  if (const auto running = impl_->flight) {
    impl_->landed.wait(lock, [&] { return running->done; });
    return running->result;
  }
  const auto mine = impl_->flight = std::make_shared<Impl::Flight>();
  ++impl_->started;
  lock.unlock();
  Result<std::shared_ptr<const AttestedToken>> result =
      fail(KeyClientError::attester_failed, "the handshake broke off by an exception");
  std::exception_ptr thrown;
  try {
    result = impl_->handshake();
  } catch (...) {
    thrown = std::current_exception();  // those who wait must hear of the end
  }
  lock.lock();
  auto landed = impl_->land(*mine, std::move(result));
  if (thrown) std::rethrow_exception(thrown);
  return landed;
}

void HandshakeTokenSource::forget(const AttestedToken& rejected) {
  const std::lock_guard lock{impl_->mutex};
  if (impl_->current.get() == &rejected) impl_->current.reset();
}

unsigned HandshakeTokenSource::handshakes() const {
  const std::lock_guard lock{impl_->mutex};
  return impl_->started;
}

}  // namespace coffer::keyclient
