#include "fleet/trust/aggregator_trust.h"

namespace coffer::fleet {

Result<AggregatorTrust> AggregatorTrust::create(TokenTrustOptions options) {
  return AggregatorTrust {
    TRY(TokenTrust::create(std::move(options)))
  };
}

Result<Standing> AggregatorTrust::verify(const AggregatorAttestation& shown, std::string_view nonce, TimePoint now,
                                         const std::optional<ModelName>& model) const {
  auto standing = TRY(tokens_.verify(shown.token, "the aggregator", now));
  const auto key = TRY(standing.key());
  TRY(check_aggregator(shown.proof, nonce, key, model));
  return standing;
}

}  // namespace coffer::fleet
