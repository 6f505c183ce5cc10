#include "fleet/worker/trust/attestation_keeper.h"

#include <algorithm>

#include "base/log.h"
#include "codec/jose/jwt.h"

namespace coffer::fleet::worker {
namespace {

using std::chrono::steady_clock;

constexpr Duration first_pause = std::chrono::seconds{1};
constexpr Duration longest_pause = std::chrono::seconds{60};
constexpr Duration renew_before = std::chrono::seconds{25};  // the client renews from 30 s on

constexpr std::int64_t believed_skew = 60;  // seconds, as managers take proofs (WorkerTrustOptions::tolerance)

// The token is new, so that its issue time is the broker's clock. A manager that refuses the proofs of a wrong clock
// says so on its side only.
void warn_of_skew(const keyclient::AttestedToken& token) {
  const auto jwt = codec::jose::UnverifiedJwt::parse(token.token);
  const auto* issued = jwt ? jwt->claims.find("iat") : nullptr;
  const auto at = issued != nullptr ? issued->if_int64() : std::nullopt;
  if (!at) return;
  const auto skew = to_unix_seconds(system_clock().now()) - *at;
  if (skew <= believed_skew && skew >= -believed_skew) return;
  log::warn("worker.clock_skew",
            "this machine's clock is not the key broker's, and managers will not believe its proofs",
            {{"seconds_ahead", std::to_string(skew)}});
}

}  // namespace

AttestationKeeper::AttestationKeeper(TeeAccess& tee, std::string own_id, Observers observers)
    : tee_(tee), own_id_(std::move(own_id)), observers_(std::move(observers)) {}

void AttestationKeeper::start() {
  if (tee_.refusal()) return;
  thread_ = std::jthread([this](const std::stop_token& stop) { keep(stop); });
}

AttestationKeeper::~AttestationKeeper() {
  thread_.request_stop();
}

std::shared_ptr<const keyclient::AttestedToken> AttestationKeeper::live_token(TimePoint now) const {
  const std::lock_guard lock(mutex_);
  return token_ && token_->expires > now ? token_ : nullptr;
}

std::optional<Capabilities::Attestation> AttestationKeeper::current(TimePoint now) const {
  const auto token = live_token(now);
  if (!token) return std::nullopt;
  auto proof = sign_presence(own_id_, now, *token->tee_key);
  if (!proof) {
    log::error("worker.no_proof", proof.error().message);
    return std::nullopt;
  }
  return Capabilities::Attestation{.token = token->token, .expires_at = token->expires, .proof = std::move(*proof)};
}

std::string AttestationKeeper::sign(ResultStatement statement) const {
  statement.made = system_clock().now();
  const auto token = live_token(statement.made);
  if (!token) return "";
  statement.token_digest = digest_of_text(token->token);
  auto signature = sign_result(statement, *token->tee_key);
  if (signature) return std::move(*signature);
  log::error("worker.not_signed", signature.error().message);
  return "";
}

void AttestationKeeper::keep(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    const auto pause = refresh();
    std::unique_lock lock(mutex_);
    wake_.wait_for(lock, stop, pause, [] { return false; });
  }
}

Duration AttestationKeeper::refresh() {
  const auto start = steady_clock::now();
  const auto token = [&]() -> Result<std::shared_ptr<const keyclient::AttestedToken>> {
    const auto span = observers_.tracer == nullptr ? net::Span{} : observers_.tracer->start("attestation.keep");
    const net::TraceScope scope(span);
    const auto keys = TRY(tee_.keys({}));
    return keys->tokens->token();
  }();
  const auto took = std::chrono::duration_cast<Duration>(steady_clock::now() - start);
  if (!token) {
    if (observers_.attempted) observers_.attempted({.took = took, .outcome = token.error().code.name()});
    log::warn("worker.attestation_failed", token.error().message,
              {{"code", std::string{token.error().code.name()}}, {"again_in_ms", std::to_string(pause_.count())}});
    return std::exchange(pause_, std::min(pause_ * 2, longest_pause));
  }
  if (observers_.attempted) observers_.attempted({.took = took, .outcome = "ok", .expires = (*token)->expires});
  pause_ = first_pause;
  set(*token);
  const auto left = (*token)->expires - system_clock().now() - renew_before;
  return std::max<Duration>(std::chrono::duration_cast<Duration>(left), first_pause);
}

void AttestationKeeper::set(const std::shared_ptr<const keyclient::AttestedToken>& token) {
  {
    const std::lock_guard lock(mutex_);
    if (token_ == token) return;
    token_ = token;
  }
  log::info("worker.attested", "the broker has accepted this worker's evidence");
  warn_of_skew(*token);
  if (observers_.changed) observers_.changed();
}

}  // namespace coffer::fleet::worker
