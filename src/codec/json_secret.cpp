#include "codec/json_secret.h"

#include <span>

#include "base/secret_bytes.h"

namespace coffer::codec::json {

void wipe(Value& value) {
  if (auto* array = value.if_array()) {
    for (auto& item : *array) wipe(item);
  } else if (auto* object = value.if_object()) {
    for (auto& [name, member] : *object) wipe(member);
  } else if (const auto* text = value.if_string()) {
    auto& writable = const_cast<std::string&>(*text);  // the tree is the caller's and not const
    coffer::wipe(std::as_writable_bytes(std::span{writable}));
  } else if (value.is_number()) {
    value = Value{0};
  }
}

}  // namespace coffer::codec::json
