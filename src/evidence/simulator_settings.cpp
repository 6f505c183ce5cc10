#include "evidence/simulator_settings.h"

#include <algorithm>
#include <fstream>
#include <system_error>

#include "codec/base64.h"

namespace coffer::evidence {

namespace json = codec::json;

namespace {

constexpr std::size_t max_file_size = 64U << 10;

std::unexpected<Error> bad(const std::filesystem::path& file, const std::string& reason) {
  return fail(EvidenceError::bad_config, file.string() + ": " + reason);
}

std::unexpected<Error> bad_value(std::string_view name, const std::string& expected) {
  return fail(EvidenceError::bad_config,
              "the simulator's value \"" + std::string{name} + "\" is expected to be " + expected);
}

Result<std::vector<std::string>> fault_names(const json::Value& value, const std::filesystem::path& file) {
  const auto* list = value.if_array();
  if (list == nullptr) return bad(file, "\"faults\" is expected to be a list of names");
  std::vector<std::string> out;
  for (const auto& each : *list) {
    if (each.if_string() == nullptr) return bad(file, "\"faults\" is expected to be a list of names");
    out.push_back(*each.if_string());
  }
  return out;
}

std::filesystem::path settings_file(const std::filesystem::path& directory, std::string_view name) {
  return directory / (std::string{name} + ".json");
}

Result<SimulatorSettings> parse(std::string_view text, const std::filesystem::path& file) {
  const auto value = json::parse(text);
  if (!value) return bad(file, value.error().message);
  const auto* object = value->if_object();
  if (object == nullptr) return bad(file, "expected an object with \"faults\" and \"values\"");
  SimulatorSettings out;
  for (const auto& [name, member] : *object) {
    if (name == "faults") {
      out.faults = TRY(fault_names(member, file));
    } else if (name == "values" && member.is_object()) {
      out.values = *member.if_object();
    } else {
      return bad(file, "expected an object with \"faults\" and \"values\", found \"" + name + "\"");
    }
  }
  return out;
}

}  // namespace

Result<> SimulatorSettings::check_faults(std::initializer_list<std::string_view> known) const {
  for (const auto& name : faults) {
    if (std::ranges::find(known, name) != known.end()) continue;
    std::string names;
    for (const auto each : known) names += (names.empty() ? "" : ", ") + std::string{each};
    return fail(EvidenceError::bad_config, "\"" + name + "\" is no fault of this simulator; known are " + names);
  }
  return {};
}

Result<> SimulatorSettings::read_faults(const std::map<std::string_view, bool*>& known) const {
  for (const auto& name : faults) {
    const auto fault = known.find(name);
    if (fault == known.end()) {
      return fail(EvidenceError::bad_config, "the simulator's settings: there is no fault \"" + name + "\"");
    }
    *fault->second = true;
  }
  return {};
}

bool SimulatorSettings::has_fault(std::string_view name) const {
  return std::ranges::find(faults, name) != faults.end();
}

Result<std::optional<Bytes>> SimulatorSettings::bytes(std::string_view name, std::size_t size) const {
  const auto* value = values.find(name);
  if (value == nullptr) return std::optional<Bytes>{};
  const auto expected = (size == 0 ? "bytes" : std::to_string(size) + " bytes") + " in hex";
  if (value->if_string() == nullptr) return bad_value(name, expected);
  auto decoded = codec::hex_decode(*value->if_string());
  if (!decoded || (size != 0 && decoded->size() != size)) return bad_value(name, expected);
  return std::optional{*std::move(decoded)};
}

Result<std::optional<std::uint64_t>> SimulatorSettings::number(std::string_view name, std::uint64_t most) const {
  const auto* value = values.find(name);
  if (value == nullptr) return std::optional<std::uint64_t>{};
  const auto number = value->if_uint64();
  if (!number || *number > most) return bad_value(name, "a number from 0 to " + std::to_string(most));
  return std::optional{*number};
}

std::filesystem::path simulator_settings_file(const std::filesystem::path& directory, TeeKind kind) {
  return settings_file(directory, wire_name(kind));
}

Result<SimulatorSettings> load_simulator_settings(const std::filesystem::path& directory, TeeKind kind) {
  return load_simulator_settings(directory, wire_name(kind));
}

Result<SimulatorSettings> load_simulator_settings(const std::filesystem::path& directory, std::string_view name) {
  const auto file = settings_file(directory, name);
  std::error_code ignored;
  if (!std::filesystem::exists(file, ignored)) return SimulatorSettings{};
  std::ifstream in{file};
  std::string text(max_file_size + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(in.gcount()));
  if (text.size() > max_file_size) return bad(file, "over the limit of " + std::to_string(max_file_size) + " bytes");
  return parse(text, file);
}

Result<> save_simulator_settings(const std::filesystem::path& directory, TeeKind kind,
                                 const SimulatorSettings& settings) {
  return save_simulator_settings(directory, wire_name(kind), settings);
}

Result<> save_simulator_settings(const std::filesystem::path& directory, std::string_view name,
                                 const SimulatorSettings& settings) {
  const auto file = settings_file(directory, name);
  json::Array faults;
  for (const auto& fault : settings.faults) faults.push_back(fault);
  // A program that runs reads the file at any time: it finds the old one or the new one, whole.
  const auto fresh = directory / (std::string{name} + ".json.new");
  std::ofstream out{fresh, std::ios::trunc};
  out << json::serialize(json::Object{{"faults", std::move(faults)}, {"values", settings.values}}) << "\n";
  out.close();
  std::error_code failed;
  if (out) std::filesystem::rename(fresh, file, failed);
  if (!out || failed) return bad(file, "cannot be written");
  return {};
}

}  // namespace coffer::evidence
