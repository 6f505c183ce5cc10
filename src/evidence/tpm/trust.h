// Why an attestation key is believed to be a TPM's. A quote alone does not say: anyone can make a key and sign with it.
//
// Two ways are checked here, where they are configured: keys that were enrolled beforehand, and keys that bear a
// certificate under a manufacturer's or operator's root. An endorsement key's certificate alone proves nothing, because
// that key only decrypts and so cannot have signed for the attestation key. Otherwise the appraisal policy decides by
// the claim `ak_public`.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "crypto/x509.h"
#include "evidence/options.h"
#include "evidence/tpm/evidence.h"

namespace coffer::evidence::tpm {

// {"tpm_verifier": {"trusted_ak_keys_dir": "<folder of *.pem with public keys>", "ek_roots": "<PEM file>",
// "require_event_log": bool}}. The first is a key that upstream documents and ignores.
struct TrustSettings {
  std::vector<crypto::PublicKey> trusted_keys{};
  std::vector<crypto::Certificate> ek_roots{};
  bool restricted = false;  // one of the two was configured: other keys are refused
  bool require_event_log = false;
  // EvidenceError::bad_config, also for files that cannot be read.
  static Result<TrustSettings> read(const codec::json::Object& verifier_config);
};

struct AkTrust {
  std::string how;  // "listed", "certified", "unverified": the claim ak_trust
  std::optional<std::string> simulated_root{};
};

bool is_listed(const crypto::PublicKey& ak, const TrustSettings& settings);
// bad_ak_certificate.
Result<std::vector<crypto::Certificate>> parse_certificates(std::span<const Bytes> certificates);
// Of a key that is not listed, by its parsed certificates. As below.
Result<AkTrust> judge_chain(const crypto::PublicKey& ak, std::span<const crypto::Certificate> chain,
                            const TrustSettings& settings, std::span<const crypto::Certificate> simulated_roots,
                            TimePoint now);
// bad_ak_certificate, untrusted_ak, EvidenceError::simulated_refused.
Result<AkTrust> judge_ak(const crypto::PublicKey& ak, std::span<const Bytes> certificates,
                         const TrustSettings& settings, std::span<const crypto::Certificate> simulated_roots,
                         TimePoint now);

}  // namespace coffer::evidence::tpm
