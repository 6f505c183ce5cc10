// What an NVIDIA GPU signs: the exchange GET_MEASUREMENTS of SPDM 1.1 (DSP0274 1.1.1 section 10.11), request and
// response one after the other, as NVML gives it.
#pragma once

#include <span>
#include <vector>

#include "evidence/nvidia/opaque_data.h"

namespace coffer::evidence::nvidia {

inline constexpr std::size_t nonce_size = 32;
inline constexpr std::size_t signature_size = 96;     // ECDSA P-384, r || s
inline constexpr std::size_t max_report = 16U << 10;  // twice the buffer that NVML has for one

// One measurement, "DMTF measurement specification format" (table 45).
struct Measurement {
  std::uint8_t index;
  std::uint8_t type;  // DMTFSpecMeasurementValueType
  Bytes value;
};

struct Report {
  Bytes nonce{};          // the requester's
  std::uint8_t slot = 0;  // SlotIDParam: which chain the signature belongs to
  std::vector<Measurement> measurements{};
  Bytes responder_nonce{};
  OpaqueData opaque_data{};
  Bytes signature{};
  std::size_t signed_size = 0;  // how many bytes from the begin the signature covers: all before it
};

// Shape and bounds only; nothing is verified. Zeros behind the signature are passed over: the buffer of NVML is larger
// than a report, and recorded ones bear some of it. bad_report, bad_opaque_data.
Result<Report> parse_report(ByteView bytes);

// Without the signature, which covers exactly these bytes; for the simulator.
Bytes encode_unsigned(const Report& report);

}  // namespace coffer::evidence::nvidia
