// The few TPM 2.0 commands that make a new TPM a machine's own (TPM 2.0 Library 1.59, part 3), as bytes.
#pragma once

#include <cstdint>
#include <functional>

#include "base/bytes.h"
#include "base/result.h"
#include "crypto/keys.h"
#include "vm/error.h"

namespace coffer::vm {

// Sends one command and returns the whole response.
using TpmChannel = std::function<Result<Bytes>(ByteView command)>;

// Where attesters look for the attestation key (guest-components' default).
inline constexpr std::uint32_t attestation_key_handle = 0x81010002;

// SHA-256 registers alone, from the next start on: every other bank would cost each boot a hash of the whole initrd.
Result<> allocate_sha256_registers(const TpmChannel& tpm);
// A restricted RSA-2048 signing key (RSASSA, SHA-256) under the endorsement hierarchy, kept at attestation_key_handle.
// Its public half. bad_tpm where the TPM refuses, with its response code.
Result<crypto::PublicKey> make_attestation_key(const TpmChannel& tpm);
// An orderly end, so that nothing is lost.
Result<> shut_down(const TpmChannel& tpm);

}  // namespace coffer::vm
