// The simulator's dials: what the next piece of simulated evidence says, and which fault it has. They stand in
// <simulator directory>/<tee>.json, so that a runner, a worker and a test turn them without another switch each:
//
//   {"faults": ["debug"], "values": {"measurement": "<hex>"}}
//
// Names of faults and values are each leaf's own (docs/tees/<tee>.md).
#pragma once

#include <filesystem>
#include <initializer_list>
#include <map>
#include <string>
#include <vector>

#include "codec/json.h"
#include "evidence/tee.h"

namespace coffer::evidence {

struct SimulatorSettings {
  std::vector<std::string> faults{};
  codec::json::Object values{};

  bool has_fault(std::string_view name) const;
  // bad_config for a fault outside `known`: a dial that turns nothing is no test.
  Result<> check_faults(std::initializer_list<std::string_view> known) const;
  // Sets what stands behind each fault's name; bad_config for a fault that is not there.
  Result<> read_faults(const std::map<std::string_view, bool*>& known) const;
  // The bytes of a value in hex, exactly `size` where that is not 0; nothing where it is absent. bad_config.
  Result<std::optional<Bytes>> bytes(std::string_view name, std::size_t size = 0) const;
  // nothing where it is absent; bad_config where it is no number in these bounds.
  Result<std::optional<std::uint64_t>> number(std::string_view name, std::uint64_t most) const;
};

std::filesystem::path simulator_settings_file(const std::filesystem::path& directory, TeeKind kind);
// The defaults where there is no file. bad_config for a file that does not parse or has other members.
Result<SimulatorSettings> load_simulator_settings(const std::filesystem::path& directory, TeeKind kind);
// Replaces the file. bad_config where it cannot be written.
Result<> save_simulator_settings(const std::filesystem::path& directory, TeeKind kind,
                                 const SimulatorSettings& settings);

// The same for what is no TEE: <directory>/<name>.json of a vendor's service ("amd-kds").
Result<SimulatorSettings> load_simulator_settings(const std::filesystem::path& directory, std::string_view name);
Result<> save_simulator_settings(const std::filesystem::path& directory, std::string_view name,
                                 const SimulatorSettings& settings);

}  // namespace coffer::evidence
