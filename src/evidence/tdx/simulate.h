// Structurally real TDX evidence under the simulator's root: quote and event log of a small guest, with faults to dial.
#pragma once

#include "evidence/dcap/simulate.h"
#include "evidence/simulator_settings.h"
#include "evidence/tdx/evidence.h"

namespace coffer::evidence::tdx {

// Of a register at run time, as the log counts registers: RTMR n is n + 1.
struct Extension {
  std::uint32_t index;
  Bytes digest;
};

struct Guest {
  std::uint16_t quote_version = 4;  // 4 or 5
  bool tdx15 = false;               // the body of TDX 1.5, in version 5 alone
  Bytes mr_td = Bytes(48, std::byte{0x7d});
  Bytes mr_config_id = Bytes(48);
  std::string kernel = "simulated kernel";  // what RTMR1 and RTMR2 measure
  std::string command_line = "console=hvc0 ro";
  std::string initrd = "simulated initrd";
  std::vector<Extension> extensions{};  // since it was booted
  Bytes agent_log{};                    // the entries that tell of them
};

struct Faults {
  bool old_tcb = false;            // platform below the newest TCB level: OutOfDate, with an advisory
  bool old_module = false;         // TDX module below its newest level; updated since the launch where tdx15 is set
  bool revoked = false;            // the PCK is on its CA's list
  bool expired = false;            // the PCK certificate ended a minute ago
  bool debug = false;              // TD attributes say so
  bool wrong_measurement = false;  // one bit of MRTD differs
  bool wrong_event = false;        // the log tells of another kernel than RTMR1 has
  bool wrong_nonce = false;        // the report data is another's
  bool bad_signature = false;      // one bit of MRTD changed after signing
};

// Keys and certificates of a platform with these faults.
Result<dcap::SimulatedPlatform> simulate_platform(const dcap::SimulatedAuthority& authority, const Faults& faults,
                                                  TimePoint now);
// report_data: at most 64 bytes, padded.
Result<Evidence> simulate(const dcap::SimulatedPlatform& platform, const Guest& guest, const Faults& faults,
                          ByteView report_data);

// What RTMR `index` - 1 holds now.
Result<Bytes> register_value(const Guest& guest, std::uint32_t index);

// The dials of <simulator directory>/tdx.json. Values: "quote_version" (4, 5), "tdx15" (0, 1), "mr_td", "mr_config_id"
// (hex), "kernel", "command_line", "initrd" (texts that stand for the files). Faults by their names above, with
// hyphens. EvidenceError::bad_config for others.
struct Dials {
  Guest guest{};
  Faults faults{};
  static Result<Dials> read(const SimulatorSettings& settings);
};

}  // namespace coffer::evidence::tdx
