// The firmware that a DICE certificate's key belongs to. NVIDIA states it in two extensions, one a generation.
#pragma once

#include <optional>
#include <string_view>

#include "crypto/x509.h"
#include "evidence/nvidia/error.h"

namespace coffer::evidence::nvidia {

inline constexpr std::string_view composite_device_id_oid = "2.23.133.5.4.1";
inline constexpr std::string_view tcb_info_oid = "2.23.133.5.4.1.1";  // "tcg-dice-TcbInfo-alias"

struct FirmwareId {
  Bytes digest;                       // SHA-384
  std::optional<Bytes> device_key{};  // SubjectPublicKeyInfo of the key below, which the first form names
};

// Hopper: CompositeDeviceID of Microsoft's RIoT, {version, device key, {algorithm, digest}}. Blackwell: DiceTcbInfo of
// TCG's DICE Attestation Architecture 1.1 section 6.1.1, of whose firmware ids the first is the layer's own, as
// upstream reads it. bad_firmware_id where a certificate has neither or both, or one whose digest is no SHA-384.
Result<FirmwareId> read_firmware_id(const crypto::Certificate& certificate);
Result<FirmwareId> parse_composite_device_id(ByteView extension);
Result<FirmwareId> parse_tcb_info(ByteView extension);

// Both forms, for the simulator.
Bytes encode_composite_device_id(ByteView device_key, ByteView digest);
Bytes encode_tcb_info(ByteView digest);

}  // namespace coffer::evidence::nvidia
