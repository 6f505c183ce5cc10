// The certificate of the key that signs reports: AMD's "Versioned Chip Endorsement Key (VCEK) Certificate and KDS
// Interface Specification", publication 57230, and its like for VLEKs. What it says, and whether AMD says it.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "crypto/x509.h"
#include "evidence/snp/report.h"

namespace coffer::evidence::snp {

// The extensions of 57230 section 3.1 under 1.3.6.1.4.1.3704.1.
struct EndorsementFields {
  SigningKey kind;  // by the subject's common name: SEV-VCEK, SEV-VLEK
  Product product;
  TcbVersion tcb;                      // with fmc on Turin
  std::optional<Bytes> hardware_id{};  // of a VCEK: 64 bytes, 8 on Turin
};
// bad_certificate where one is absent or does not parse. Numbers are DER integers; older certificates and other tools
// have a bare byte or one in an OCTET STRING, hardware identifiers are bare or in an OCTET STRING.
Result<EndorsementFields> read_endorsement(const crypto::Certificate& certificate);

// A certificate whose chain holds from `not_before` until before `not_after`.
struct Endorsement {
  EndorsementFields fields;
  crypto::PublicKey key;  // P-384
  TimePoint not_before;
  TimePoint not_after;
  std::optional<std::string> simulated_root{};  // the subject of the simulator's root it ends in
};

struct EndorsementInput {
  ByteView certificate;                      // DER
  std::vector<ByteView> intermediates{};     // DER: ASK, ASVK, and those below a simulator's root
  std::vector<ByteView> revocation_lists{};  // DER or PEM; when any is given the chain is checked against them
};

// Verifies chains and keeps what it has verified, by the SHA-256 of all that went in. Safe from any thread; threads
// meet in a lock of one sixteenth of the store, for the time of one look-up.
class EndorsementVerifier {
 public:
  explicit EndorsementVerifier(std::span<const crypto::Certificate> simulator_roots);
  ~EndorsementVerifier();

  // bad_certificate, untrusted_chain, not_valid_at_time, revoked; EvidenceError::simulated_refused where the chain
  // bears the simulator's mark and its root was not chosen.
  Result<std::shared_ptr<const Endorsement>> verify(const EndorsementInput& input, TimePoint now) const;
  bool knows_simulators() const { return !simulator_roots_.empty(); }
  // Whether a chosen simulator made this certificate, and other certificates stand between it and the root.
  bool is_below_simulator(const crypto::Certificate& certificate) const;

 private:
  Result<Endorsement> verify_anew(const EndorsementInput& input, TimePoint now) const;
  struct Cache;
  std::vector<crypto::Certificate> simulator_roots_;
  std::unique_ptr<Cache> cache_;
};

}  // namespace coffer::evidence::snp
