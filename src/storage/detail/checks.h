// What every store asks of its arguments, and what they answer alike.
#pragma once

#include "storage/key_value_store.h"

namespace coffer::storage::detail {

Result<> check_space(std::string_view space);
Result<> check_value(std::string_view space, std::string_view key, ByteView value);
std::unexpected<Error> conflict(std::string_view space, std::string_view key);

}  // namespace coffer::storage::detail
