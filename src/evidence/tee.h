// Kinds of TEE and the two interfaces behind which each one lives.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "codec/json.h"
#include "crypto/hash.h"

namespace coffer::evidence {

enum class EvidenceError {
  unknown_tee,
  tee_not_allowed,  // built in, but not chosen by name (sample)
  not_supported,    // known by name, no verifier or attester in this build
  malformed,
  report_data_mismatch,
  init_data_mismatch,
  bad_signature,
  no_device,           // the attester finds no hardware
  bad_runtime_data,    // a nonce or tee-pubkey that is not one
  bad_init_data,       // init-data that does not parse, or names an unknown format or algorithm
  unsupported_hash,    // no hash algorithm that both sides can use
  collateral_missing,  // an endorsement the verdict needs can not be had: nothing is taken as verified without it
  simulated_refused,   // evidence under a simulator's root that was not chosen by name
  device_failed,       // the attester's hardware or driver answered with an error, too little, or never settled
  bad_config,          // a setting of a verifier or simulator that does not fit, or a file of theirs that does not
};
std::string_view code_name(EvidenceError code);

// Upstream's wire names (trustee.md 1.3). Only the ones that the Registry lists have a verifier in this build.
enum class TeeKind {
  az_snp_vtpm,
  az_tdx_vtpm,
  nvidia,
  sgx,
  snp,
  tdx,
  cca,
  csv,
  se,
  hygondcu,
  nvidia_dpu,
  tpm,
  nitro,
  psa,       // Arm TrustZone: a PSA attestation token
  keystone,  // RISC-V Keystone's report
  external,  // a verifier or attester of the user's own, behind a socket
  sample,
  sampledevice
};
std::span<const TeeKind> all_tee_kinds();
std::string_view wire_name(TeeKind kind);               // "az-snp-vtpm", ...
Result<TeeKind> parse_tee_kind(std::string_view name);  // also the older "azsnpvtpm", "aztdxvtpm"
// Class of the EAR submodule: "cpu", "gpu", "dcu".
std::string_view device_class(TeeKind kind);
// Proves nothing and is accepted only where it was chosen by name: sample, sampledevice.
bool is_sample(TeeKind kind);

// What evidence must be bound to. Zero padding to a TEE's field is the verifier's work.
struct Binding {
  // The digest of the runtime data, unpadded. Nothing: the caller binds none, which only the attestation service's own
  // interface allows; a key broker always gives one.
  std::optional<Bytes> report_data{};
  std::optional<Bytes> init_data_digest{};  // where the guest sent init-data
};

// One device of the evidence; most evidence holds one.
struct Claims {
  codec::json::Object claims;                // what stands under the TEE's name, without report_data and init_data
  std::optional<std::string> report_data{};  // as the TEE's claim spells it (hex, or base64 for sample)
  std::optional<std::string> init_data{};    // absent: the TEE did not vouch for any
  std::string device_class{};                // empty: device_class(kind) of the verifier
  // Subject of the simulator's root that the evidence chains to; absent for a vendor's root. The token carries it.
  std::optional<std::string> simulated_root{};
};

class Verifier {
 public:
  virtual ~Verifier() = default;
  virtual TeeKind kind() const = 0;
  // malformed, report_data_mismatch, init_data_mismatch, bad_signature; expected and actual in the text.
  virtual Result<std::vector<Claims>> verify(const codec::json::Value& evidence, const Binding& binding,
                                             TimePoint now) const = 0;
  // Every field of the evidence by name, bytes in hex, nothing of it checked beyond its shape. malformed, or
  // not_supported where the TEE has no such reading.
  virtual Result<codec::json::Object> inspect(const codec::json::Value& evidence) const;
  // The evidence document around a raw report, quote or document as hardware gives it; `certificates` (DER) go where
  // that document has room for them. not_supported where the TEE has no raw form.
  virtual Result<codec::json::Value> from_raw(ByteView raw, std::span<const Bytes> certificates) const;
  // The same document with these certificates (DER) in it; where it has some of their kind they make way. not_supported
  // where it has no room for any.
  virtual Result<codec::json::Value> with_certificates(const codec::json::Value& evidence,
                                                       std::span<const Bytes> certificates) const;
};

// A register for runtime measurements (guest-components.md 2.6).
struct MeasurementRegister {
  unsigned index;  // as it is written into an event log entry: CCMR of TDX and CSV, PCR of a TPM
  crypto::HashAlgorithm algorithm;
};

class Attester {
 public:
  virtual ~Attester() = default;
  virtual TeeKind kind() const = 0;
  // report_data: the digest of the runtime data, at most 64 bytes.
  virtual Result<codec::json::Value> attest(ByteView report_data) const = 0;
  // Binds init-data at the guest's start: compares the digest, fitted to the TEE's field, with what hardware states
  // (init_data_mismatch), or extends a register with it. not_supported where the TEE has no such field.
  virtual Result<> bind_init_data(ByteView digest) const;
  // Runtime measurement: the register an event of this PCR index goes to, and its hash. Nothing: the TEE has no
  // registers that a guest can extend.
  virtual std::optional<MeasurementRegister> runtime_register(unsigned pcr_index) const;
  // Extends that register; not_supported by default.
  virtual Result<> extend_runtime_measurement(unsigned pcr_index, ByteView digest) const;
  // Its present value, for recovery after a crash between extending and logging; not_supported by default.
  virtual Result<Bytes> read_runtime_measurement(unsigned pcr_index) const;
};

}  // namespace coffer::evidence
