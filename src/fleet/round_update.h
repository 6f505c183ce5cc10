// What a participant of a federated round gives to be averaged: the result of its task, with what the task's worker
// says of it. Upstream knows two forms, and both are read: the worker's, whose "update_b64" is the guest's raw result
// (propeller.md section 2.1), and the guest's own, whose "update" are whole weights (its example's coordinator).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "codec/json.h"
#include "fleet/error.h"

namespace coffer::fleet {

struct RoundUpdate {
  // Of `content`.
  static constexpr std::string_view f32_delta =
      "f32-delta";                                  // little-endian IEEE 754 binary32, to be added to the model
  static constexpr std::string_view json = "json";  // a document in one of the two forms

  std::string task_id{}, round_id{}, proplet_id{};
  std::optional<std::uint64_t> num_samples{};
  Bytes content{};  // "update_b64"
  std::string format{f32_delta};
  codec::json::Object metrics{};
  std::optional<codec::json::Object> weights{};  // "update": {"w":[...],"b":0.5}
  std::string base_model_uri{};
  std::string module_digest{};  // of the module that made it
  friend bool operator==(const RoundUpdate&, const RoundUpdate&) = default;
};

// FleetError::bad_payload, bad_member. Every member may be absent: what must be there is for the reader to say.
Result<RoundUpdate> parse_round_update(std::string_view text);
Result<RoundUpdate> read_round_update(const codec::json::Object& object);
// Members in upstream's order; those that it does not know only where they say something.
codec::json::Object write_round_update(const RoundUpdate& update);

// The largest update's text, in bytes.
inline constexpr std::size_t max_round_update = 8U << 20;
// An object under the bounds of updates: its size, and numbers by the million. FleetError::bad_payload.
Result<codec::json::Object> parse_update_object(std::string_view text);

}  // namespace coffer::fleet
