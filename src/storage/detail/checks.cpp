#include "storage/detail/checks.h"

namespace coffer::storage::detail {

Result<> check_space(std::string_view space) {
  return check_key(space, "any");
}

Result<> check_value(std::string_view space, std::string_view key, ByteView value) {
  TRY(check_key(space, key));
  if (value.size() <= max_value_size) return {};
  return fail(StorageError::too_large, "the value of '" + std::string{key} + "' has " + std::to_string(value.size()) +
                                           " bytes, over the limit of " + std::to_string(max_value_size));
}

std::unexpected<Error> conflict(std::string_view space, std::string_view key) {
  return fail(StorageError::conflict,
              std::string{key} + " in " + std::string{space} + " has another value than expected");
}

}  // namespace coffer::storage::detail
