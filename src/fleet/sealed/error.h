// Why a payload is refused where payloads are sealed, and what can be wrong with group keys. Names are stable: they are
// labels of metrics.
#pragma once

#include <array>

#include "base/result.h"

namespace coffer::fleet::sealed {

enum class SealedError {
  // Payloads
  not_sealed,           // plain, where only sealed ones count
  bad_envelope,         // an envelope that is not whole, or has what none has
  unsupported_version,  // of a later generation
  wrong_topic,          // sealed for another topic than it came on
  unknown_key,          // under a key that the receiver does not have
  bad_tag,              // changed on the way, or sealed by somebody who has no group key
  stale,                // sent too long ago, or before this process was there
  from_the_future,      // sent later than now: one of the two clocks is wrong
  replayed,             // had already, or too far behind what was had to tell
  no_key,               // this process has no group key, or not yet
  // Keys
  bad_key_list,      // a list of group keys that is none
  exposed_key_file,  // a file of group keys that others than its owner may read
  unreadable_key_file,
};
std::string_view code_name(SealedError code);

// Those that a payload may be refused for.
inline constexpr std::array payload_errors{
    SealedError::not_sealed,  SealedError::bad_envelope,    SealedError::unsupported_version,
    SealedError::wrong_topic, SealedError::unknown_key,     SealedError::bad_tag,
    SealedError::stale,       SealedError::from_the_future, SealedError::replayed,
    SealedError::no_key};

}  // namespace coffer::fleet::sealed
