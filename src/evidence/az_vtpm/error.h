// Why evidence of Azure's confidential machines is refused, beyond what its TPM quote (tpm::TpmError) and its hardware
// report (snp::SnpError, dcap::DcapError) are.
#pragma once

#include <string_view>

namespace coffer::evidence::az_vtpm {

enum class AzVtpmError {
  bad_hcl_report,         // no HCL report, or one whose lengths contradict each other
  wrong_hardware,         // of another kind of hardware than the evidence says
  bad_runtime_data,       // runtime data without an attestation key
  runtime_data_mismatch,  // hardware does not vouch for the runtime data, and so not for its key
  user_data_mismatch,     // the report was made for other report data
  bad_vcek,               // the VCEK is no certificate
};
std::string_view code_name(AzVtpmError code);

}  // namespace coffer::evidence::az_vtpm
