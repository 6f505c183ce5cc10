// What attesters ask of a TPM, so that tests and simulators can stand in. Azure's attesters use the same.
#pragma once

#include <optional>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace coffer::evidence::tpm {

struct QuoteAnswer {
  Bytes ak_public;  // SubjectPublicKeyInfo of the key that signed
  Bytes message;    // TPMS_ATTEST
  Bytes signature;  // TPMT_SIGNATURE
};

// Errors are EvidenceError::no_device (no TPM, no such key or index) and device_failed (with the TPM's own words). Safe
// from several threads.
class TpmDevice {
 public:
  virtual ~TpmDevice() = default;
  // Over all 24 PCRs of the SHA-256 bank; qualifying data at most 64 bytes.
  virtual Result<QuoteAnswer> quote(ByteView qualifying_data) = 0;
  // All 24 of the SHA-256 bank.
  virtual Result<std::vector<Bytes>> read_pcrs() = 0;
  // digest: 32 bytes, into the SHA-256 bank.
  virtual Result<> extend_pcr(unsigned pcr, ByteView digest) = 0;
  // Certificates of the attestation key in DER, its own first; empty where there are none.
  virtual Result<std::vector<Bytes>> ak_certificates() = 0;
  virtual Result<Bytes> read_nv(std::uint32_t index) = 0;
  // Defines the index for the owner where it is absent.
  virtual Result<> write_nv(std::uint32_t index, ByteView content) = 0;
};

// Two calls that must agree: the quote, and the PCR values behind it. PCRs may be extended in between, so both are
// asked for again, three times at most; device_failed where they never agree.
struct ConsistentQuote {
  QuoteAnswer answer;
  std::vector<Bytes> pcrs;
};
Result<ConsistentQuote> quote_consistently(TpmDevice& device, ByteView qualifying_data);

}  // namespace coffer::evidence::tpm
