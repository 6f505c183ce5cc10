// GPUs in software: real reports and certificates under the simulator's root.
#pragma once

#include <string>
#include <vector>

#include "evidence/nvidia/evidence.h"
#include "evidence/simulator_root.h"
#include "evidence/simulator_settings.h"

namespace coffer::evidence::nvidia {

// What a simulated GPU says. Faults by name: "wrong-nonce", "wrong-measurement", "wrong-firmware" (another firmware id
// in the report than in the certificate), "wrong-device-key", "wrong-architecture", "repeated-device", "bad-signature",
// "expired", "wrong-root". Values: "arch" ("hopper", "blackwell"), "devices" (1 to 32), "driver-version", "measurement"
// (index 12, 48 bytes in hex), "fwid" (48 bytes in hex).
struct Simulation {
  Bytes nonce = Bytes(nonce_size);
  SimulatorSettings settings{};
};

// A device with keys of its own.
struct SimulatedDevice {
  Architecture architecture;
  std::vector<crypto::Certificate> certificates;  // its own first, the root last
  crypto::PrivateKey key;
  crypto::PrivateKey line_key;  // of the certificate below the root, which issues revocation lists
  Bytes firmware_id;
};
struct DeviceOptions {
  Architecture architecture = Architecture::hopper;
  Bytes firmware_id = Bytes(48, std::byte{0xf1});
  bool expired = false;
  bool foreign_device_key = false;  // the certificate names another
};
Result<SimulatedDevice> make_simulated_device(const SimulatorRoot& root, const DeviceOptions& options, TimePoint now);

// A report of this shape; what the caller changes in it is what gets signed.
Report simulated_report(const SimulatedDevice& device, ByteView nonce);
Result<Bytes> sign_report(const Report& report, const crypto::PrivateKey& key);
codec::json::Value evidence_of(const SimulatedDevice& device, ByteView report);

// bad_config for a fault or value that does not exist.
Result<codec::json::Value> simulate_evidence(const SimulatorRoot& root, const Simulation& wanted, TimePoint now);

}  // namespace coffer::evidence::nvidia
