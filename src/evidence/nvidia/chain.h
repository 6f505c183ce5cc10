// The certificates of a device, from the key that signs its reports to NVIDIA's root.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "crypto/x509.h"
#include "evidence/collateral.h"
#include "evidence/nvidia/firmware_id.h"

namespace coffer::evidence::nvidia {

// SHA-256 of the DER of NVIDIA's root, "CN=NVIDIA Device Identity CA, O=NVIDIA", serial number
// 2d3670b1ca100411c1fec0e82a065b54. It comes last in every chain; upstream bundles the same one.
inline constexpr std::string_view nvidia_root_fingerprint =
    "102bf659d5419614c9d8e6aecebc80454eb26b1df6a769ac720b9a690b167b48";

enum class Architecture { hopper, blackwell, ls10 };
std::string_view name_of(Architecture architecture);  // "Hopper", "Blackwell", "LS10", as in upstream's claims
// In any case, as upstream takes it. EvidenceError::malformed.
Result<Architecture> parse_architecture(std::string_view name);
// What a certificate's common name says: "NVIDIA GH100 Identity" is Hopper, "NVIDIA GB20X Identity" Blackwell.
std::optional<Architecture> architecture_of_name(std::string_view common_name);

struct TrustedDevice {
  crypto::PublicKey key;  // which signs its reports
  FirmwareId firmware;
  Architecture architecture;
  Bytes device_key;  // SubjectPublicKeyInfo of the key that is burnt into the device: one device, one key
  std::string ueid;  // the serial number of its certificate, decimal as NVIDIA writes it
  std::optional<std::string> simulated_root{};  // the subject of a simulator's root, where the chain ends in one
  // When all certificates of the chain hold.
  TimePoint valid_from{};
  TimePoint valid_until{};
};

// The key of the first certificate, unverified: nothing signed by it means anything before verify_device().
// bad_certificate where it is not P-384.
Result<crypto::PublicKey> leaf_key(const std::vector<crypto::Certificate>& chain);

struct ChainCheck {
  std::span<const crypto::Certificate> simulated_roots;
  Collateral* revocation_lists = nullptr;  // null: none are asked for
  TimePoint at;
};

// `chain`: the device's first, the root last. unknown_root, untrusted, certificate_expired, revoked, bad_key_usage,
// bad_certificate, bad_firmware_id, wrong_device_key; EvidenceError::simulated_refused for a simulator's root outside
// `simulated_roots`, and what cannot_be_had() says of a list.
Result<TrustedDevice> verify_device(const std::vector<crypto::Certificate>& chain, const ChainCheck& check);

// NVIDIA's revocation list that a certificate names ("l1-root", "l2-gh100"); nothing where it names none of NVIDIA's.
std::optional<CollateralItem> revocation_list_item(const crypto::Certificate& certificate);

// The serial number in decimal.
std::string decimal_of(ByteView big_endian);

}  // namespace coffer::evidence::nvidia
