// What both kinds of database ask of values alike.
#pragma once

#include <span>

#include "storage/sql.h"

namespace coffer::storage::detail {

// bad_value for text with a NUL or that is no UTF-8.
Result<> check_values(std::span<const SqlValue> values);

}  // namespace coffer::storage::detail
