// A TPM's quote and its signature (TPM 2.0 Library part 2, revision 1.59; all integers big-endian). Shared with Azure's
// vTPM.
#pragma once

#include <map>
#include <span>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "codec/json.h"
#include "crypto/keys.h"
#include "evidence/tpm/error.h"

namespace coffer::evidence::tpm {

inline constexpr unsigned pcr_count = 24;

// TPMS_PCR_SELECTION (section 10.6.1).
struct PcrSelection {
  crypto::HashAlgorithm bank;
  std::vector<unsigned> pcrs;  // ascending
  friend bool operator==(const PcrSelection&, const PcrSelection&) = default;
};

// TPMS_ATTEST with TPMS_QUOTE_INFO (sections 10.12.1 and 10.12.8).
struct Quote {
  Bytes qualified_signer;  // TPM2B_NAME of the signing key
  Bytes extra_data;        // qualifying data: what the quote is bound to
  std::uint64_t clock = 0;
  std::uint32_t reset_count = 0;
  std::uint32_t restart_count = 0;
  bool safe = false;
  std::uint64_t firmware_version = 0;
  std::vector<PcrSelection> selections{};  // those that select a PCR
  Bytes pcr_digest{};
  friend bool operator==(const Quote&, const Quote&) = default;
};

// Exactly one TPMS_ATTEST, magic TPM_GENERATED_VALUE: only what begins so did the TPM make itself, and no restricted
// key signs such bytes from outside. bad_quote, not_a_quote, unsupported_algorithm for a bank that we do not know.
Result<Quote> parse_quote(ByteView message);
Bytes encode_quote(const Quote& quote);

// TPMT_SIGNATURE (section 11.3.4) of RSASSA, RSAPSS or ECDSA.
struct Signature {
  crypto::SignatureScheme scheme;
  crypto::HashAlgorithm hash;
  Bytes rsa{};     // of RSA schemes
  Bytes r{}, s{};  // of ECDSA; any length, leading zeros dropped or not
};
// bad_signature_format, unsupported_algorithm.
Result<Signature> parse_signature(ByteView tpmt_signature);
Bytes encode_signature(const Signature& signature);

// bad_signature.
Result<> verify_signature(const crypto::PublicKey& key, const Signature& signature, ByteView message);

// By PCR.
using PcrValues = std::map<unsigned, Bytes>;
// `values` are the quoted PCRs in the order of the one bank that the quote selects, their concatenation's digest by the
// signature's `hash` is what it states (part 1, section 16.4; part 3, TPM2_Quote). bad_pcr_selection,
// pcr_digest_mismatch.
Result<PcrValues> check_pcrs(const Quote& quote, std::span<const Bytes> values, crypto::HashAlgorithm hash);

// Value of a PCR that began with zeros and was extended once: what init-data leaves in PCR 8 (SHA-256 bank).
Bytes extended_once(ByteView digest);
inline constexpr unsigned init_data_pcr = 8;
// init_data_mismatch (EvidenceError) where PCR 8 does not hold it. A digest of another length than 32 bytes cannot be
// extended, and so never matches.
Result<> check_init_data(const PcrValues& pcrs, ByteView digest);

// {"pcr00": hex, ...}.
codec::json::Object pcr_claims(const PcrValues& pcrs);
// Every field, for people.
codec::json::Object describe(const Quote& quote);
codec::json::Object describe(const Signature& signature);

}  // namespace coffer::evidence::tpm
