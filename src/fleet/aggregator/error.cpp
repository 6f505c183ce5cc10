#include "fleet/aggregator/error.h"

#include <algorithm>
#include <array>

#include "fleet/detail/error_table.h"
#include "fleet/error.h"

namespace coffer::fleet::aggregator {
namespace {

using Known = detail::KnownError<AggregatorError>;

constexpr std::array known{
    Known{AggregatorError::bad_request, "aggregator.bad_request", 400},
    Known{AggregatorError::unauthorized, "aggregator.unauthorized", 401},
    Known{AggregatorError::not_found, "aggregator.not_found", 404},
    Known{AggregatorError::no_such_method, "aggregator.no_such_method", 405},
    Known{AggregatorError::unsupported, "aggregator.unsupported", 501},
    Known{AggregatorError::not_attested, "aggregator.not_attested", 503},
    Known{AggregatorError::no_tee, "aggregator.no_tee", 500},
    Known{AggregatorError::busy, "aggregator.busy", 503},
    Known{AggregatorError::bad_model, "aggregator.bad_model", 400},
    Known{AggregatorError::model_exists, "aggregator.model_exists", 409},
    Known{AggregatorError::unknown_model, "aggregator.unknown_model", 404},
    Known{AggregatorError::unknown_round, "aggregator.unknown_round", 404},
    Known{AggregatorError::round_exists, "aggregator.round_exists", 409},
    Known{AggregatorError::round_closed, "aggregator.round_closed", 409},
    Known{AggregatorError::too_few_participants, "aggregator.too_few_participants", 409},
    Known{AggregatorError::plain_update, "aggregator.plain_update", 403},
    Known{AggregatorError::unknown_key, "aggregator.unknown_key", 409},
    Known{AggregatorError::unsigned_update, "aggregator.unsigned_update", 403},
    Known{AggregatorError::unknown_participant, "aggregator.unknown_participant", 403},
    Known{AggregatorError::duplicate_update, "aggregator.duplicate_update", 409},
    Known{AggregatorError::wrong_round, "aggregator.wrong_round", 400},
    Known{AggregatorError::wrong_model, "aggregator.wrong_model", 409},
    Known{AggregatorError::wrong_module, "aggregator.wrong_module", 403},
    Known{AggregatorError::wrong_length, "aggregator.wrong_length", 400},
    Known{AggregatorError::not_finite, "aggregator.not_finite", 400},
    Known{AggregatorError::bad_sample_count, "aggregator.bad_sample_count", 400},
    Known{AggregatorError::bad_format, "aggregator.bad_format", 400},
};

// What fleet/trust says of a worker that did not prove itself.
constexpr std::array distrust{FleetError::bad_proof,     FleetError::stale_proof,   FleetError::not_attested,
                              FleetError::untrusted_tee, FleetError::not_affirming, FleetError::wrong_claim};

}  // namespace

std::string_view code_name(AggregatorError code) {
  return detail::name_in<AggregatorError>(known, code);
}

int http_status(const Error& error) {
  if (const auto status = detail::status_in<AggregatorError>(known, error)) return *status;
  if (std::ranges::any_of(distrust, [&](FleetError code) { return error.code == code; })) return 403;
  const auto name = error.code.name();
  return name.starts_with("fleet.") || name.starts_with("json.") ? 400 : 500;
}

}  // namespace coffer::fleet::aggregator
