// Structurally real SGX evidence under the simulator's root, with faults to dial.
#pragma once

#include "evidence/dcap/simulate.h"
#include "evidence/simulator_settings.h"

namespace coffer::evidence::sgx {

struct Enclave {
  std::uint16_t quote_version = 3;  // 3, 4 or 5
  Bytes mr_enclave = Bytes(32, std::byte{0xe5});
  Bytes mr_signer = Bytes(32, std::byte{0x51});
  Bytes config_id = Bytes(64);
  std::uint16_t isv_prod_id = 1;
  std::uint16_t isv_svn = 1;
};

struct Faults {
  bool old_tcb = false;            // platform below the newest TCB level: OutOfDate, with an advisory
  bool revoked = false;            // the PCK is on its CA's list
  bool expired = false;            // the PCK certificate ended a minute ago
  bool debug = false;              // attributes say so
  bool wrong_measurement = false;  // one bit of MRENCLAVE differs
  bool wrong_nonce = false;        // the report data is another's
  bool bad_signature = false;      // one bit of MRENCLAVE changed after signing
};

Result<dcap::SimulatedPlatform> simulate_platform(const dcap::SimulatedAuthority& authority, const Faults& faults,
                                                  TimePoint now);
// A quote. report_data: at most 64 bytes, padded.
Result<Bytes> simulate(const dcap::SimulatedPlatform& platform, const Enclave& enclave, const Faults& faults,
                       ByteView report_data);

// The dials of <simulator directory>/sgx.json. Values: "quote_version", "isv_prod_id", "isv_svn" (numbers),
// "mr_enclave", "mr_signer", "config_id" (hex). Faults by their names above, with hyphens. EvidenceError::bad_config
// for others.
struct Dials {
  Enclave enclave{};
  Faults faults{};
  static Result<Dials> read(const SimulatorSettings& settings);
};

}  // namespace coffer::evidence::sgx
