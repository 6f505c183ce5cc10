// The report of a Keystone enclave (struct report of the security monitor, sm/src/enclave.h; RISC-V, little-endian):
//
//   offset  size
//        0    64  enclave: SHA3-512 of loader, runtime and application
//       64     8  enclave: length of data
//       72  1024  enclave: data, of which the length above is signed
//     1096    64  enclave: Ed25519 by the monitor's key over hash, length and data
//     1160    64  monitor: SHA3-512 of the security monitor
//     1224    32  monitor: its public key
//     1256    64  monitor: Ed25519 by the device's key over hash and public key
//     1320    32  device: its public key
#pragma once

#include "base/bytes.h"
#include "codec/json.h"
#include "crypto/keys.h"
#include "evidence/keystone/error.h"

namespace coffer::evidence::keystone {

inline constexpr std::size_t report_size = 1352;
inline constexpr std::size_t max_data = 1024;
inline constexpr std::size_t hash_size = 64;
inline constexpr std::size_t key_size = 32;

struct Report {
  Bytes enclave_hash;
  Bytes data;
  Bytes enclave_signature;
  Bytes monitor_hash;
  Bytes monitor_key;
  Bytes monitor_signature;
  Bytes device_key;

  // What the two signatures are over.
  Bytes enclave_signed() const;
  Bytes monitor_signed() const;
};

// bad_size, bad_data_length.
Result<Report> parse_report(ByteView report);
Bytes encode_report(const Report& report);

// {"enclave": {hash, data}, "security_monitor": {hash, public_key}, "device_public_key"}, in hex.
codec::json::Object claims_of(const Report& report);

}  // namespace coffer::evidence::keystone
