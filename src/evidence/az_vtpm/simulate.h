// Azure's confidential machines in software: a paravisor over a TPM in software, which renews its report as the guest
// asks, above simulated SEV-SNP or TDX.
#pragma once

#include "evidence/az_vtpm/az_vtpm.h"
#include "evidence/az_vtpm/hcl_report.h"
#include "evidence/simulator_root.h"
#include "evidence/simulator_settings.h"
#include "evidence/tpm/simulate.h"

namespace coffer::evidence::az_vtpm {

struct Faults {
  bool wrong_nonce = false;         // the vTPM quotes other data than it was asked for
  bool wrong_pcr = false;           // a listed PCR is not the one that was quoted
  bool wrong_kernel = false;        // PCR 11 measures another one
  bool wrong_runtime_data = false;  // hardware vouches for other runtime data, and so for another attestation key
  bool old_report = false;          // the report was made for other report data
  bool bad_signature = false;       // of the quote
  // Those of the hardware.
  bool wrong_measurement = false;
  bool debug = false;
  bool old_tcb = false;
  bool expired = false;
};

// The dials of <simulator directory>/az-snp-vtpm.json and az-tdx-vtpm.json. Values: "measurement" (hex: SEV-SNP's
// launch digest, MRTD), "kernel" (text that PCR 11 measures). Faults by their names above, with hyphens. bad_config for
// others.
struct Dials {
  Faults faults{};
  Bytes measurement = Bytes(48, std::byte{0xa2});
  std::string kernel = "simulated kernel";
  static Result<Dials> read(const SimulatorSettings& settings);
};

// One boot of such a machine. It is its own metadata service; certificates and collateral are those of the simulator's
// directory, but the VCEK, which stands right below the root: the evidence has room for it alone.
class SimulatedMachine final : public Metadata {
 public:
  // kind: az_snp_vtpm or az_tdx_vtpm.
  static Result<std::shared_ptr<SimulatedMachine>> boot(TeeKind kind, std::filesystem::path directory);

  // What the next report and quote say. The TPM's other PCRs stay as they were extended.
  void turn(Dials dials);
  std::shared_ptr<tpm::TpmDevice> tpm() const { return tpm_; }
  // Why the paravisor has renewed nothing.
  Result<> last_report() const { return last_report_; }

  Result<Bytes> vcek() override;
  Result<Bytes> td_quote(ByteView td_report) override;

 private:
  SimulatedMachine(TeeKind kind, std::filesystem::path directory, tpm::SimulatedKey key,
                   std::shared_ptr<tpm::SoftwareTpm> tpm);
  Result<> renew();
  Result<Bytes> runtime_data();
  Result<Bytes> snp_report(ByteView report_data);

  TeeKind kind_;
  std::filesystem::path directory_;
  crypto::PublicKey attestation_key_;
  std::shared_ptr<tpm::SoftwareTpm> tpm_;
  Dials dials_;
  Result<> last_report_{};
  Bytes vcek_;
};

}  // namespace coffer::evidence::az_vtpm
