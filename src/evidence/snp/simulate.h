// Structurally real SEV-SNP evidence under the simulator's root: the keys a platform would have, the firmware's
// signing, and faults to dial.
#pragma once

#include "evidence/simulated_vendor.h"
#include "evidence/simulator_root.h"
#include "evidence/simulator_settings.h"
#include "evidence/snp/sev_guest.h"

namespace coffer::evidence::snp {

struct PlatformOptions {
  Product product = Product::milan;
  SigningKey signing_key = SigningKey::vcek;
  TcbVersion tcb{.fmc = {}, .bootloader = 4, .tee = 0, .snp = 24, .microcode = 219};  // fmc is added on Turin
  Field<64> chip_id{};                                                                // zeros: one is made up
  TimePoint not_before;
  TimePoint not_after;
  // The other encodings of the certificate's extensions: numbers as bare bytes, the chip in an OCTET STRING.
  bool other_encoding = false;
  unsigned rsa_bits = 4096;  // of ARK and ASK; fewer where nobody waits for a second
};

// ARK and ASK or ASVK under the simulator's root, with real names but its mark in them, and a VCEK or VLEK with AMD's
// extensions. Making one generates RSA keys of 4096 bits as AMD's are, which takes a second or two.
struct SimulatedPlatform {
  Product product;
  SigningKey signing_key;
  TcbVersion tcb;
  Field<64> chip_id;
  crypto::Certificate ark;
  crypto::PrivateKey ark_key;
  crypto::Certificate signer;  // ASK or ASVK
  crypto::PrivateKey signer_key;
  crypto::Certificate endorsement;  // VCEK or VLEK
  crypto::PrivateKey endorsement_key;

  static Result<SimulatedPlatform> create(const SimulatorRoot& root, const PlatformOptions& options);
  // VCEK or VLEK, ASK, ARK: what the evidence carries, since no KDS has them.
  std::vector<CertificateEntry> certificates() const;
  // A list of the ARK's or the ASK's with these certificates revoked.
  Result<CertificateEntry> revocation_list(bool of_ark, std::span<const crypto::Certificate> revoked,
                                           TimePoint this_update, TimePoint next_update) const;
  // The same signers with a fresh endorsement key.
  Result<SimulatedPlatform> with_endorsement(const PlatformOptions& options) const;
};

// The machine of a product line in the simulator's directory, made there by whoever asks first. bad_config.
Result<SimulatedPlatform> open_simulated_platform(const std::filesystem::path& directory, Product product);
// AMD's Key Distribution Service for those machines: VCEK, chain and revocation list.
std::unique_ptr<SimulatedVendor> make_simulated_kds(const std::filesystem::path& directory);

struct GuestOptions {
  std::uint32_t version = 3;  // of the report
  Field<48> measurement{};
  Field<32> host_data{};
  std::uint64_t policy = 0x30000;  // SMT allowed, and the bit that is always set; no debugging, no migration
  std::uint64_t plat_info = 0x25;
};

struct Faults {
  bool old_tcb = false;            // the report states a TCB below that of the key
  bool debug = false;              // the policy allows debugging
  bool wrong_measurement = false;  // one bit differs
  bool wrong_nonce = false;        // the report data is another's
  bool other_chip = false;
  bool lower_privilege = false;  // asked for at VMPL 1
  bool bad_signature = false;
  bool masked_chip_id = false;
  bool no_certificates = false;
  bool revoked = false;  // a revocation list with the signing key comes with it
  bool expired = false;  // the endorsement key's certificate held for a second only
};

// What the firmware would say; signed after all faults but bad_signature.
Result<Evidence> simulate(const SimulatedPlatform& sound, const GuestOptions& guest, const Faults& faults,
                          const Field<64>& report_data);

// A device that answers so, for the attester of real hardware.
std::unique_ptr<SevGuestDevice> simulated_sev_guest(SimulatedPlatform platform, GuestOptions guest, Faults faults = {});

// The dials of <simulator directory>/snp.json. Values: "product" ("Milan"), "report_version", "measurement",
// "host_data" (hex), "policy", "plat_info". Faults by their names above, with hyphens: "old-tcb".
// EvidenceError::bad_config for others.
struct Dials {
  Product product = Product::milan;
  GuestOptions guest{};
  Faults faults{};
  static Result<Dials> read(const SimulatorSettings& settings);
};

}  // namespace coffer::evidence::snp
