// Comparing what evidence states with what it must be bound to, for TEEs whose fields are as long as they are.
#pragma once

#include <string_view>

#include "evidence/tee.h"

namespace coffer::evidence {

// The field holds the data and zeros behind it; data longer than the field is bound by no such field, so it never
// matches. `name` begins the sentence ("REPORTDATA of the TD"). report_data_mismatch.
Result<> check_report_data_field(const Binding& binding, ByteView field, std::string_view name);

// The field holds the init-data's digest, cut or zero-padded to its size (trustee.md 7). init_data_mismatch.
Result<> check_init_data_field(const Binding& binding, ByteView field, std::string_view name);

}  // namespace coffer::evidence
