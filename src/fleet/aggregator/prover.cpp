#include "fleet/aggregator/prover.h"

#include <algorithm>

#include "base/log.h"
#include "codec/jose/jwk.h"
#include "fleet/attested_key.h"

namespace coffer::fleet::aggregator {
namespace {

// An update may have waited in the MQTT broker meanwhile; a key is gone some time after its token.
constexpr std::size_t most_keys = 8;
constexpr Duration kept_after = std::chrono::minutes{10};

}  // namespace

Result<std::shared_ptr<const keyclient::AttestedToken>> Prover::token() {
  auto token = tokens_->token();
  if (!token) {
    return fail(
        AggregatorError::not_attested,
        "the aggregator is not attested now: " + std::string{token.error().code.name()} + ": " + token.error().message);
  }
  const std::lock_guard lock(mutex_);
  if (held_.empty() || held_.front().token != *token) {
    held_.push_front({codec::jose::thumbprint((*token)->tee_key->public_key()), *token});
    log::info("aggregator.attested", "the broker has accepted this aggregator's evidence",
              {{"tee", (*token)->tee}, {"key", held_.front().thumbprint}});
  }
  const auto oldest = clock_.now() - kept_after;
  while (held_.size() > most_keys || (held_.size() > 1 && held_.back().token->expires < oldest)) held_.pop_back();
  return *std::move(token);
}

Result<> Prover::attest() {
  TRY(token());
  return {};
}

Result<AggregatorAttestation> Prover::prove(std::string_view nonce, const std::optional<ModelName>& model) {
  TRY(check_nonce(nonce));
  const auto live = TRY(token());
  return AggregatorAttestation {
    .token = live->token, .proof = TRY(sign_aggregator(nonce, clock_.now(), *live->tee_key, model))
    , .expires_at = live->expires, .tee = live->tee
  };
}

Result<SignedRound> Prover::sign(RoundStatement statement) {
  const auto live = TRY(token());
  statement.token_digest = digest_of_text(live->token);
  auto signed_text = TRY(sign_round(statement, *live->tee_key));
  return SignedRound{.statement = std::move(signed_text), .token = live->token};
}

Result<std::shared_ptr<const crypto::PrivateKey>> Prover::key(std::string_view thumbprint) {
  const std::lock_guard lock(mutex_);
  const auto found = std::ranges::find(held_, thumbprint, &Held::thumbprint);
  if (found != held_.end()) return found->token->tee_key;
  return fail(AggregatorError::unknown_key,
              "the update is sealed to a key that is not held here; ask GET /attestation for the present one");
}

}  // namespace coffer::fleet::aggregator
