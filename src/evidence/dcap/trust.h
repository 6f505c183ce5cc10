// Intel's certificates: which roots count, and chains as quotes and collateral carry them. Times are left out on
// purpose: Intel's verification library accepts what has expired and says so in a claim, so validity is judged apart.
#pragma once

#include <span>
#include <string>

#include "crypto/crl.h"
#include "crypto/x509.h"
#include "evidence/dcap/error.h"
#include "evidence/dcap/pck.h"

namespace coffer::evidence::dcap {

// SHA-256 of the SubjectPublicKeyInfo of "Intel SGX Root CA" (P-256): every certificate of that key is Intel's root.
inline constexpr std::string_view intel_root_key_sha256 =
    "a0af031289f5d5d4132f9186068a7fc13628633ba235777472e29b6b6c67a49e";

// When something was issued and when it ends: a chain, a list, TCB info, or several together.
struct Dates {
  TimePoint earliest_issue;
  TimePoint latest_issue;
  TimePoint earliest_expiration;
};
Dates join(const Dates& a, const Dates& b);

struct VerifiedRoot {
  crypto::Certificate certificate;
  Bytes key_id;                          // SHA-384 of its key as uncompressed point, Intel's root_key_id
  std::optional<std::string> simulated;  // the subject of a simulator's root
};

class TrustedRoots {
 public:
  explicit TrustedRoots(std::span<const crypto::Certificate> simulated)
      : simulated_(simulated.begin(), simulated.end()) {}
  // Intel's key or one of the simulator's roots, and signed by itself. untrusted_root; simulated_refused
  // (EvidenceError) where it bears the simulator's mark and was not chosen.
  Result<VerifiedRoot> check(const crypto::Certificate& root) const;

 private:
  std::vector<crypto::Certificate> simulated_;
};

struct PckChain {
  crypto::Certificate leaf;
  crypto::Certificate ca;
  VerifiedRoot root;
  crypto::PublicKey key;  // of the leaf
  PckCa ca_kind;
  PckExtensions extensions;
  Dates dates;
};
// The PEM of certification data type 5: leaf, CA, root. bad_pck_chain, bad_pck_extension, untrusted_root.
Result<PckChain> verify_pck_chain(ByteView pem, const TrustedRoots& roots);

struct SignerChain {
  crypto::Certificate signer;
  VerifiedRoot root;
  crypto::PublicKey key;
  Dates dates;
};
// The PEM beside TCB info or an enclave identity: TCB signer, root. bad_collateral_chain, untrusted_root.
Result<SignerChain> verify_signer_chain(std::string_view pem, const TrustedRoots& roots);

// DER, PEM, or DER in hex as PCCS answers. bad_crl.
Result<crypto::Crl> parse_crl(ByteView text);
// Made by `issuer`. bad_crl.
Result<> check_crl(const crypto::Crl& crl, const crypto::Certificate& issuer);

}  // namespace coffer::evidence::dcap
