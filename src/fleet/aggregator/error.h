// What an aggregator of federated rounds refuses, and why. Names are stable; http_status() says which status goes
// along.
#pragma once

#include "base/result.h"

namespace coffer::fleet::aggregator {

enum class AggregatorError {
  bad_request,   // a body or query that does not say what is needed
  unauthorized,  // an operator's request without the operator's token
  not_found,     // a path that there is not
  no_such_method,
  unsupported,   // what upstream's coordinator does not do, either
  not_attested,  // no attestation token to be had now, or run outside of a TEE by name
  no_tee,        // this machine shows no TEE: the program does not start
  busy,          // as many open rounds, or as many bytes of updates, as may be held
  bad_model,     // a model that is not {"w":[numbers],"b":number}
  model_exists,
  unknown_model,
  // Rounds
  unknown_round,
  round_exists,
  round_closed,          // completed or failed already: the update is not counted
  too_few_participants,  // fewer than k by the deadline: no model was made
  // Updates
  plain_update,         // not sealed, where plain ones were not allowed by name
  unknown_key,          // sealed to a key that is not held (any more)
  unsigned_update,      // not signed by an attested worker
  unknown_participant,  // not of this round
  duplicate_update,     // this participant, or this attested key, has given one already
  wrong_round,          // inside it names another round or worker than outside
  wrong_model,          // made from another version of the model
  wrong_module,         // made by another module than the round asks for
  wrong_length,         // not as many numbers as the model has
  not_finite,           // infinite, or not a number
  bad_sample_count,     // none, or more than anybody may claim
  bad_format,           // no format that is known
};
std::string_view code_name(AggregatorError code);
// Of any error: 403 for what fleet/trust does not believe, 400 for what does not parse, 500 for the rest.
int http_status(const Error& error);

}  // namespace coffer::fleet::aggregator
