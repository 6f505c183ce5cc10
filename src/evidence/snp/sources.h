// Where endorsements come from that the evidence does not carry: AMD's Key Distribution Service (57230 chapter 4)
// through Collateral, or a folder laid out as upstream's offline store.
#pragma once

#include <filesystem>
#include <memory>
#include <variant>
#include <vector>

#include "evidence/collateral.h"
#include "evidence/config_section.h"
#include "evidence/options.h"
#include "evidence/snp/report.h"

namespace coffer::evidence::snp {

struct KdsSource {
  std::string base_url{};  // empty: the configured address of the service "amd-kds"
};
// <path>/vcek/<chip id>/bl03_tee00_snp08_ucode115_vcek.der, otherwise vcek.der in the same folder.
struct OfflineStore {
  std::filesystem::path path = "/opt/confidential-containers/attestation-service/kds-store";
};
using VcekSource = std::variant<KdsSource, OfflineStore>;

enum class RevocationChecks {
  given,     // against the lists that the evidence carries
  required,  // also against the product line's list from the KDS; refused where it cannot be had
};

// {"snp_verifier": {"vcek_sources": [{"type":"KDS","base_url":...} | {"type":"OfflineStore","path":...}, ...],
// "revocation_checks": "given" | "required"}}. The first is upstream's. Error: EvidenceError::bad_config.
struct SnpConfig {
  std::vector<VcekSource> vcek_sources{KdsSource{}};
  RevocationChecks revocation_checks = RevocationChecks::given;
  static Result<SnpConfig> read(const codec::json::Object& verifier_config);
};

// For when endorsements are asked, and until when the questions of one appraisal may take together.
struct Asking {
  TimePoint at;
  SteadyTime deadline = SteadyTime::max();
};

class EndorsementSources {
 public:
  EndorsementSources(SnpConfig config, std::shared_ptr<Collateral> collateral)
      : config_(std::move(config)), collateral_(std::move(collateral)) {}

  Asking asking(TimePoint at) const { return {at, collateral_ ? collateral_->deadline() : SteadyTime::max()}; }
  // What cannot be had below: the code of the vendor's trouble, or EvidenceError::collateral_missing (cannot_be_had).

  // The VCEK of the report's chip and TCB in DER, from the first source that has it; the last source's code with each
  // one's reason.
  Result<Bytes> vcek(const Report& report, Product product, const Asking& asking) const;
  // ASK and ARK above a product line's VCEKs, in DER: for those below a simulator's root. AMD's own are part of the
  // program.
  Result<std::vector<Bytes>> vcek_chain(Product product, const Asking& asking) const;
  // The ASVK of a product line in DER.
  Result<Bytes> asvk(Product product, const Asking& asking) const;
  bool checks_revocation() const { return config_.revocation_checks == RevocationChecks::required; }
  // The revocation list of a product line in DER, or nothing where the configuration does not ask.
  Result<std::optional<Bytes>> revocation_list(Product product, SigningKey kind, const Asking& asking) const;

 private:
  Result<std::shared_ptr<const CollateralBlob>> get(CollateralItem item, const Asking& asking) const;
  SnpConfig config_;
  std::shared_ptr<Collateral> collateral_;
};

// What the KDS is asked for; also for `coffer collateral export`.
CollateralItem vcek_item(const Report& report, Product product, const std::string& base_url = {});
CollateralItem vcek_chain_item(Product product);
CollateralItem vlek_chain_item(Product product);
CollateralItem crl_item(Product product, SigningKey kind);

// The chip as paths of the KDS write it: 64 bytes in hex, 8 on Turin.
std::string hardware_id_text(const Report& report, Product product);

}  // namespace coffer::evidence::snp
