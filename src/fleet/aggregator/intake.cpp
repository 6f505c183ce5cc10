#include "fleet/aggregator/intake.h"

#include "fleet/attested_key.h"

namespace coffer::fleet::aggregator {

using codec::json::Object;

Result<ReceivedUpdate> Intake::read(std::string_view body) const {
  const auto object = TRY(parse_update_object(body));
  return is_sealed_update(object) ? read_sealed(object) : read_plain(object, body);
}

Result<ReceivedUpdate> Intake::read_plain(const Object& object, std::string_view body) const {
  if (!options_.accept_plain) {
    return fail(AggregatorError::plain_update,
                "the update is not sealed, and everybody on its way has seen it; expected one sealed to the key of "
                "GET /attestation (--accept-plain-updates takes both)");
  }
  auto update = TRY(read_round_update(object));
  if (update.round_id.empty() || update.proplet_id.empty() || (update.content.empty() && !update.weights)) {
    return fail(AggregatorError::bad_request, "round_id, proplet_id and update or update_b64 are expected");
  }
  return ReceivedUpdate{.update = std::move(update), .digest = digest_of_text(body)};
}

Result<ReceivedUpdate> Intake::read_sealed(const Object& object) const {
  if (prover_ == nullptr) {
    return fail(AggregatorError::unknown_key,
                "this aggregator runs outside of a TEE and has no key to open seals with");
  }
  const auto sealed = TRY(read_sealed_update(object));
  const auto key = TRY(prover_->key(sealed.key));
  const auto content = TRY(open_update(sealed, *key));
  auto update = TRY(parse_round_update(content.document));
  if (update.round_id != sealed.round_id || update.proplet_id != sealed.proplet_id) {
    return fail(AggregatorError::wrong_round, "sealed is an update of another round or worker than it says outside");
  }
  auto signer = TRY(check_signer(content, update));
  return ReceivedUpdate{.update = std::move(update), .digest = digest_of(sealed), .signer = std::move(signer)};
}

Result<std::string> Intake::check_signer(const SignedUpdate& content, const RoundUpdate& update) const {
  if (!options_.workers) return std::string{};
  if (content.token.empty() || content.signature.empty()) {
    return fail(AggregatorError::unsigned_update,
                "the update of worker " + update.proplet_id + " is not signed by an attested key");
  }
  const auto standing = TRY(options_.workers->verify(content.token, "worker " + update.proplet_id, clock_.now()));
  const auto key = TRY(standing.key());
  TRY(check_update(content.signature, content.document, {.proplet_id = update.proplet_id, .round_id = update.round_id},
                   key));
  return codec::jose::thumbprint(key);
}

}  // namespace coffer::fleet::aggregator
