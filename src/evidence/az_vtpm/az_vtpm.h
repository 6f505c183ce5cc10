// Azure's confidential machines: a paravisor gives the guest a virtual TPM whose attestation key stands in runtime
// data, which the SEV-SNP report or TD quote of the machine vouches for (trustee.md 7, guest-components.md 2.5).
#pragma once

#include <chrono>
#include <functional>
#include <memory>

#include "evidence/options.h"
#include "evidence/tpm/device.h"

namespace coffer::evidence::az_vtpm {

// kind: az_snp_vtpm or az_tdx_vtpm. Settings are those of the hardware: "snp_verifier", "dcap_verifier".
Result<std::unique_ptr<Verifier>> make_verifier(TeeKind kind, const VerifierOptions& options);
// Over this machine's vTPM and Azure's instance metadata service.
Result<std::unique_ptr<Attester>> make_attester(TeeKind kind, const AttesterOptions& options);
// Over a machine in software below the root in options.simulator_directory (simulate.h).
Result<std::unique_ptr<Attester>> make_simulator(TeeKind kind, const AttesterOptions& options);

// Azure's instance metadata service, which has what the guest cannot ask hardware for.
class Metadata {
 public:
  virtual ~Metadata() = default;
  // The machine's VCEK certificate in DER. no_device where the service does not answer, device_failed where it answers
  // otherwise.
  virtual Result<Bytes> vcek() = 0;
  // A TD quote of a TDREPORT.
  virtual Result<Bytes> td_quote(ByteView td_report) = 0;
};
// base_url: "http://169.254.169.254" but in tests.
std::unique_ptr<Metadata> make_metadata(std::string base_url);

struct AttesterParts {
  std::function<Result<std::shared_ptr<tpm::TpmDevice>>()> open_tpm;
  std::shared_ptr<Metadata> metadata;
  std::function<void(std::chrono::milliseconds)> pause;
};
std::unique_ptr<Attester> make_attester_over(TeeKind kind, AttesterParts parts);

// Facts of the platform.
inline constexpr std::uint32_t attestation_key_handle = 0x81000003;
inline constexpr std::uint32_t report_index = 0x01400001;       // NV index of the HCL report
inline constexpr std::uint32_t report_data_index = 0x01400002;  // writing here makes the paravisor renew it
inline constexpr std::size_t report_data_size = 64;
inline constexpr std::chrono::milliseconds renewal_time{3000};

}  // namespace coffer::evidence::az_vtpm
