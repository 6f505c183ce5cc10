// AWS Nitro enclave images (EIF), and the PCRs that an enclave started from one has.
#pragma once

#include <optional>

#include "base/bytes.h"
#include "base/result.h"
#include "evidence/measure/error.h"

namespace coffer::evidence::measure {

struct NitroMeasurements {
  Bytes pcr0;                   // the whole image: kernel, command line, all ramdisks
  Bytes pcr1;                   // kernel, command line and the first ramdisk, which boots
  Bytes pcr2;                   // the other ramdisks: the application
  std::optional<Bytes> pcr8{};  // the certificate that signed the image, where one did
};

// SHA-384 of each part, extended into a register of zeros. bad_eif: magic, lengths, order of sections, checksum.
Result<NitroMeasurements> measure_eif(ByteView image);

}  // namespace coffer::evidence::measure
