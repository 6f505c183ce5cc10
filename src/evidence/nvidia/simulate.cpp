#include "evidence/nvidia/simulate.h"

#include <algorithm>

#include "evidence/nvidia/nvidia.h"

namespace coffer::evidence::nvidia {

namespace json = codec::json;

namespace {

constexpr std::uint8_t dialled_measurement = 12;

Result<std::optional<std::string>> text_value(const SimulatorSettings& settings, std::string_view name) {
  const auto* value = settings.values.find(name);
  if (value == nullptr) return std::nullopt;
  if (const auto* text = value->if_string()) return *text;
  return fail(EvidenceError::bad_config, "the simulator's value \"" + std::string{name} + "\" is expected to be text");
}

Result<Architecture> architecture_value(const SimulatorSettings& settings) {
  const auto text = TRY(text_value(settings, "arch"));
  if (!text) return Architecture::hopper;
  const auto architecture = parse_architecture(*text);
  if (architecture && *architecture != Architecture::ls10) return *architecture;
  return fail(EvidenceError::bad_config,
              "the simulator's value \"arch\" is expected to be hopper or blackwell, found " + *text);
}

Result<> check_names(const SimulatorSettings& settings) {
  TRY(settings.check_faults({"wrong-nonce", "wrong-measurement", "wrong-firmware", "wrong-device-key",
                             "wrong-architecture", "repeated-device", "bad-signature", "expired", "wrong-root"}));
  constexpr std::string_view known[] = {"arch", "devices", "driver-version", "measurement", "fwid"};
  for (const auto& [name, value] : settings.values) {
    if (std::ranges::find(known, name) != std::end(known)) continue;
    return fail(EvidenceError::bad_config, "\"" + name + "\" is no value of the NVIDIA simulator");
  }
  return {};
}

Result<DeviceOptions> device_options(const SimulatorSettings& settings) {
  DeviceOptions out {
    .architecture = TRY(architecture_value(settings))
  };
  if (const auto firmware = TRY(settings.bytes("fwid", out.firmware_id.size()))) out.firmware_id = *firmware;
  out.expired = settings.has_fault("expired");
  out.foreign_device_key = settings.has_fault("wrong-device-key");
  return out;
}

OpaqueData with(const OpaqueData& data, OpaqueType type, Bytes value) {
  auto items = data.items();
  const auto item = std::ranges::find(items, static_cast<std::uint16_t>(type), &OpaqueData::Item::type);
  if (item != items.end()) item->value = std::move(value);
  return OpaqueData::of(std::move(items));
}

Result<> apply(const SimulatorSettings& settings, Report& report) {
  auto& measured = std::ranges::find(report.measurements, dialled_measurement, &Measurement::index)->value;
  if (const auto given = TRY(settings.bytes("measurement", measured.size()))) measured = *given;
  if (const auto driver = TRY(text_value(settings, "driver-version"))) {
    report.opaque_data = with(report.opaque_data, OpaqueType::driver_version, to_bytes(*driver));
  }
  if (settings.has_fault("wrong-nonce")) report.nonce = Bytes(nonce_size, std::byte{0xee});
  if (settings.has_fault("wrong-measurement")) measured.front() ^= std::byte{1};
  if (settings.has_fault("wrong-firmware")) {
    report.opaque_data = with(report.opaque_data, OpaqueType::firmware_id, Bytes(48, std::byte{0xee}));
  }
  return {};
}

Result<json::Value> simulate_device(const SimulatorRoot& root, const Simulation& wanted, TimePoint now) {
  const auto& settings = wanted.settings;
  auto device = TRY(make_simulated_device(root, TRY(device_options(settings)), now));
  auto report = simulated_report(device, wanted.nonce);
  TRY(apply(settings, report));
  auto bytes = TRY(sign_report(report, device.key));
  if (settings.has_fault("bad-signature")) bytes.back() ^= std::byte{1};
  if (settings.has_fault("wrong-architecture")) {
    const bool hopper = device.architecture == Architecture::hopper;
    device.architecture = hopper ? Architecture::blackwell : Architecture::hopper;
  }
  return evidence_of(device, bytes);
}

class NvidiaSimulator final : public Attester {
 public:
  explicit NvidiaSimulator(std::filesystem::path directory) : directory_(std::move(directory)) {}
  TeeKind kind() const override { return TeeKind::nvidia; }

  Result<json::Value> attest(ByteView report_data) const override {
    const auto root = TRY(load_simulator_root(directory_));
    Simulation wanted{.nonce = to_bytes(report_data)};
    wanted.nonce.resize(nonce_size);
    wanted.settings = TRY(load_simulator_settings(directory_, TeeKind::nvidia));
    return simulate_evidence(root, wanted, system_clock().now());
  }

 private:
  std::filesystem::path directory_;
};

}  // namespace

Result<json::Value> simulate_evidence(const SimulatorRoot& root, const Simulation& wanted, TimePoint now) {
  const auto& settings = wanted.settings;
  TRY(check_names(settings));
  auto authority = root;
  if (settings.has_fault("wrong-root")) authority = TRY(make_foreign_root(now));
  const auto count = TRY(settings.number("devices", max_devices))
  .value_or(1);
  std::vector<json::Value> devices;
  devices.reserve(count);
  for (std::uint64_t i = 0; i < count; ++i) devices.push_back(TRY(simulate_device(authority, wanted, now)));
  if (settings.has_fault("repeated-device") && !devices.empty()) devices.push_back(devices.front());
  return evidence_of(devices);
}

Result<std::unique_ptr<Attester>> make_simulator(TeeKind, const AttesterOptions& options) {
  return std::make_unique<NvidiaSimulator>(options.simulator_directory);
}

}  // namespace coffer::evidence::nvidia
