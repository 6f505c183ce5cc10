// The digest by which UEFI firmware measures a program that it starts.
#pragma once

#include "base/bytes.h"
#include "base/result.h"
#include "crypto/hash.h"
#include "evidence/measure/error.h"

namespace coffer::evidence::measure {

// Authenticode's image digest ("Windows Authenticode Portable Executable Signature Format", "Calculating the PE Image
// Hash"): everything but the checksum field, the certificate table's entry and the certificates. bad_pe.
Result<Bytes> authenticode_digest(crypto::HashAlgorithm algorithm, ByteView image);

}  // namespace coffer::evidence::measure
