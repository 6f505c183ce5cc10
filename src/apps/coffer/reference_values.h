// Reference values on their way into the broker.
#pragma once

#include "apps/coffer/context.h"
#include "codec/json.h"

namespace coffer::cli {

// What `add` makes of a value that the broker has already: a list with what is new at its end; of the events of a
// measured boot ("tpm_events") a list of machines. usage where the value is no list, because a policy then compares it
// as it is.
Result<codec::json::Value> merged_reference_value(std::string_view name, const codec::json::Value& present,
                                                  const codec::json::Value& added);

// Sets reference values by their names, all or none. `add`: beside what is there, for one machine more.
Result<> register_reference_values(const Context& context, const codec::json::Object& values, bool add = false);

}  // namespace coffer::cli
