// The certificates in an attestation document, from its leaf to a root that is trusted.
#pragma once

#include <optional>
#include <span>
#include <string>

#include "crypto/x509.h"
#include "evidence/nitro/document.h"

namespace coffer::evidence::nitro {

// SHA-256 of the DER of AWS's root for Nitro enclaves, "CN=aws.nitro-enclaves, O=Amazon, OU=AWS, C=US", valid until
// 2049-10-28 (keymeld-and-multi-agent.md C2). The root itself comes inside every document.
inline constexpr std::string_view aws_root_fingerprint =
    "641a0321a3e244efe456463195d606317ed7cdcc3c1756e09893f3c68f79bb5b";

struct TrustedLeaf {
  crypto::PublicKey key;
  std::optional<std::string> simulated_root{};  // the subject of a simulator's root, where the chain ends in one
  // When all certificates of the chain hold.
  TimePoint valid_from{};
  TimePoint valid_until{};
};

// The key of the leaf, unverified: nothing signed by it means anything before verify_chain(). bad_certificate.
Result<crypto::PublicKey> leaf_key(const Payload& payload);

// bad_certificate, unknown_root, untrusted, certificate_expired, bad_key_usage; EvidenceError::simulated_refused for a
// simulator's root outside `simulated_roots`.
Result<TrustedLeaf> verify_chain(const Payload& payload, std::span<const crypto::Certificate> simulated_roots,
                                 TimePoint at);

}  // namespace coffer::evidence::nitro
