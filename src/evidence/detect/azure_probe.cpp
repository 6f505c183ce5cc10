// Azure's confidential machines show neither TDX's nor SEV's devices: a paravisor holds them, and lays its report into
// an index of the virtual TPM (guest-components.md 2.3).
#include "evidence/detect/probes.h"
#ifdef COFFER_TEE_AZ_VTPM
#include "evidence/az_vtpm/hcl_report.h"
#endif

namespace coffer::evidence::detail {

#ifdef COFFER_TEE_AZ_VTPM
namespace {

// Other machines' TPMs are not opened for nothing.
bool is_microsofts(const Machine& machine) {
  if (machine.processor && machine.processor->hypervisor_vendor == "Microsoft Hv") return true;
  return machine.first_line("/sys/class/dmi/id/sys_vendor") == "Microsoft Corporation";
}

}  // namespace

void probe_azure(Survey& survey) {
  const std::string index = "TPM NV index 0x1400001";
  const auto& machine = survey.machine();
  const bool has_tpm = !survey.first_of({"/dev/tpmrm0", "/dev/tpm0"}).empty();
  if (!has_tpm || !is_microsofts(machine) || !machine.paravisor_report) return;
  const auto bytes = machine.paravisor_report();
  if (!bytes) {
    const bool plain = bytes.error().code == EvidenceError::no_device;
    return survey.pass_over(
        TeeKind::az_snp_vtpm, index,
        plain ? "a machine of Microsoft's, but none of its confidential ones: " + bytes.error().message
              : "it cannot be read: " + bytes.error().message);
  }
  const auto report = az_vtpm::HclReport::parse(*bytes);
  if (!report) return survey.pass_over(TeeKind::az_snp_vtpm, index, report.error().message);
  const bool tdx = report->hardware == az_vtpm::Hardware::tdx;
  survey.take(tdx ? TeeKind::az_tdx_vtpm : TeeKind::az_snp_vtpm, index);
}
#else
void probe_azure(Survey&) {}
#endif

}  // namespace coffer::evidence::detail
