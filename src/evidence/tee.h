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

namespace coffer::evidence {

enum class EvidenceError {
  unknown_tee,
  tee_not_allowed,  // built in, but not chosen by name (sample)
  not_supported,    // known by name, no verifier or attester in this build
  malformed,
  report_data_mismatch,
  init_data_mismatch,
  bad_signature,
  no_device,         // the attester finds no hardware
  bad_runtime_data,  // a nonce or tee-pubkey that is not one
  bad_init_data,     // init-data that does not parse, or names an unknown format or algorithm
  unsupported_hash,  // no hash algorithm that both sides can use
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
  tpm,
  nitro,
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
};

class Verifier {
 public:
  virtual ~Verifier() = default;
  virtual TeeKind kind() const = 0;
  // malformed, report_data_mismatch, init_data_mismatch, bad_signature; expected and actual in the text.
  virtual Result<std::vector<Claims>> verify(const codec::json::Value& evidence, const Binding& binding,
                                             TimePoint now) const = 0;
};

class Attester {
 public:
  virtual ~Attester() = default;
  virtual TeeKind kind() const = 0;
  // report_data: the digest of the runtime data, at most 64 bytes.
  virtual Result<codec::json::Value> attest(ByteView report_data) const = 0;
};

}  // namespace coffer::evidence
