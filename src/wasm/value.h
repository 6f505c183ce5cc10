// Values that cross between the host and a component, as CBOR. Both sides go by the type that the component declares:
//   bool, integers, floats     the same; integers must be in the range of their type
//   char, string, enum         text
//   list<u8>                   bytes
//   list, tuple                array
//   record                     map, one entry a field, by its name
//   variant                    [case] or [case, payload]
//   flags                      array of the names that are set
//   option                     null or [value]
//   result                     {"ok": value or null} or {"err": value or null}
// Resources, streams, futures and maps are not carried. A function without a result gives null.
#pragma once

#include <cstddef>

#include "codec/cbor.h"

namespace coffer::wasm {

using Value = codec::cbor::Value;

// For one direction of one call: its arguments together, or its result.
inline constexpr codec::cbor::Limits value_limits{
    .max_size = std::size_t{4} << 20, .max_depth = 40, .max_items = std::size_t{1} << 18};

}  // namespace coffer::wasm
