// BLAKE3 (the BLAKE3 paper, version 1.0): the plain hash of 32 bytes. OpenSSL does not have it.
#pragma once

#include "base/bytes.h"

namespace coffer::crypto {

inline constexpr std::size_t blake3_size = 32;

// Portable code, without vector instructions. Its modes for keys and derivation are left out.
Bytes blake3(ByteView data);

}  // namespace coffer::crypto
