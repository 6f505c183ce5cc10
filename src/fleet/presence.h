// What workers say of themselves: discovery once a connection, heartbeats in between.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fleet/capabilities.h"

namespace coffer::fleet {

struct Discovery {
  struct Metadata {
    std::optional<std::string> description{}, location{}, ip{}, environment{}, os{}, hostname{}, cpu_arch{},
        proplet_version{}, wasm_runtime{};
    std::vector<std::string> tags{};
    std::optional<std::uint64_t> total_memory_bytes{};
    friend bool operator==(const Metadata&, const Metadata&) = default;
  };

  std::string proplet_id;
  std::string name_space = "default";  // "namespace" on the wire
  Metadata metadata{};
  // Absent where the worker has none, or sent some that cannot be read: then the error is kept, for the log, and the
  // worker counts as one that claims nothing.
  std::optional<Capabilities> capabilities{};
  std::optional<Error> capabilities_error{};
};

struct Alive {
  static constexpr std::string_view alive = "alive";
  static constexpr std::string_view offline = "offline";  // last wills

  std::string proplet_id;
  std::string status{alive};
  std::string name_space{};
  std::optional<Capabilities> capabilities{};
  std::optional<Error> capabilities_error{};
};

// FleetError::bad_payload, missing_member, bad_member. Empty and null members of the metadata count as absent.
Result<Discovery> parse_discovery(std::string_view payload);
Result<Alive> parse_alive(std::string_view payload);
std::string to_json(const Discovery& discovery);
std::string to_json(const Alive& alive);

}  // namespace coffer::fleet
