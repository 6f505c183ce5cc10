// AMD's root keys (ARK) and SEV signing keys (ASK), which come with the program. The keys that sign VLEKs (ASVK) do
// not: they come with the evidence or from the KDS, and chain to the same roots.
#pragma once

#include <string_view>

#include "crypto/x509.h"
#include "evidence/snp/product.h"

namespace coffer::evidence::snp {

// Made by amd_roots.cmake.
extern const std::string_view amd_certificates_pem;

struct AmdCertificates {
  crypto::Certificate ark;
  crypto::Certificate ask;
};
// Parsed once. A certificate that does not have the pinned fingerprint ends the program: the build is not what it says.
const AmdCertificates& amd_certificates(Product product);

// SHA-256 over the DER of the ARK: from AMD's site and the crate, compared.
std::string_view ark_fingerprint(Product product);

}  // namespace coffer::evidence::snp
