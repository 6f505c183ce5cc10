#include "evidence/detect/probes.h"

namespace coffer::evidence::detail {

namespace {

constexpr std::string_view tsm_directory = "/sys/kernel/config/tsm/report";

std::string tsm_device(std::string_view provider) {
  return std::string{tsm_directory} + " (" + std::string{provider} + ")";
}

// Probing makes a directory there, so nobody asks where the interface is not.
std::string ask_provider(const Machine& machine) {
  if (machine.tsm == nullptr) return {};
  return device::ConfigfsTsm{machine.root, *machine.tsm}.provider().value_or("");
}

}  // namespace

Survey::Survey(const Machine& machine) : machine_(machine), provider_(ask_provider(machine)) {}

std::string Survey::first_of(std::initializer_list<std::string_view> files) const {
  for (const auto file : files) {
    if (machine_.has(file)) return std::string{file};
  }
  return {};
}

bool Survey::on_bare_metal() const {
  const auto& processor = machine_.processor;
  return processor && processor->architecture == "x86_64" && !processor->hypervisor;
}

void Survey::take(TeeKind kind, std::string device, std::string reason) {
  findings_.push_back({kind, true, std::move(device), std::move(reason)});
}

void Survey::pass_over(TeeKind kind, std::string device, std::string reason) {
  findings_.push_back({kind, false, std::move(device), std::move(reason)});
}

void probe_tdx(Survey& survey) {
  constexpr std::string_view provider = "tdx_guest";
  const auto& machine = survey.machine();
  const bool has_tsm = survey.provider() == provider;
  const auto device = has_tsm ? tsm_device(provider) : survey.first_of({"/dev/tdx_guest", "/dev/tdx-guest"});
  if (device.empty()) {
    constexpr std::string_view host = "/sys/module/kvm_intel/parameters/tdx";
    const auto enabled = machine.first_line(host);
    if (enabled != "Y" && enabled != "1") return;
    return survey.pass_over(TeeKind::tdx, std::string{host}, "this machine can start trust domains, and is none");
  }
  // The kernel makes the device by the same leaf, so what exists without it is somebody else's file.
  if (machine.processor && !machine.processor->trust_domain) {
    return survey.pass_over(TeeKind::tdx, device, "the processor says that this is no trust domain (CPUID leaf 0x21)");
  }
  survey.take(TeeKind::tdx, device,
              has_tsm ? "" : std::string{tsm_directory} + " is missing: mount configfs, or use Linux 6.7 or later");
}

void probe_sgx(Survey& survey) {
  const auto& machine = survey.machine();
  constexpr std::string_view gramine = "/dev/attestation/attestation_type";
  if (machine.has(gramine)) {
    const auto type = machine.first_line(gramine);
    if (type == "dcap") return survey.take(TeeKind::sgx, std::string{gramine});
    return survey.pass_over(TeeKind::sgx, std::string{gramine},
                            "Gramine attests by \"" + type +
                                "\"; its manifest is expected to set sgx.remote_attestation "
                                "to \"dcap\"");
  }
  std::error_code ignored;
  const bool occlum = machine.environment && machine.environment("OCCLUM");
  // On a host this path is a directory of the driver's.
  const bool inside = machine.has("/dev/sgx") && !std::filesystem::is_directory(machine.root / "dev/sgx", ignored);
  if (occlum && inside) return survey.take(TeeKind::sgx, "/dev/sgx");
  if (occlum)
    return survey.pass_over(TeeKind::sgx, "OCCLUM", "the variable is set, but Occlum's /dev/sgx is not there");
  const auto host = survey.first_of({"/dev/sgx_enclave", "/dev/sgx/enclave", "/dev/isgx"});
  if (host.empty()) return;
  survey.pass_over(TeeKind::sgx, host,
                   "this machine can start enclaves, and this program runs in none (Gramine, Occlum)");
}

void probe_snp(Survey& survey) {
  constexpr std::string_view provider = "sev_guest";
  auto device = survey.first_of({"/dev/sev-guest", "/sys/devices/platform/sev-guest"});
  if (device.empty() && survey.provider() == provider) device = tsm_device(provider);
  if (device.empty()) {
    if (!survey.machine().has("/dev/sev")) return;
    return survey.pass_over(TeeKind::snp, "/dev/sev", "this machine can start SEV guests, and is none");
  }
  if (survey.on_bare_metal()) {
    return survey.pass_over(TeeKind::snp, device, "the processor says that no hypervisor is below this machine");
  }
  survey.take(TeeKind::snp, device);
}

void probe_csv(Survey& survey) {
  if (survey.machine().has("/dev/csv-guest")) survey.take(TeeKind::csv, "/dev/csv-guest");
}

void probe_cca(Survey& survey) {
  constexpr std::string_view provider = "arm_cca_guest";
  constexpr std::string_view platform = "/sys/devices/platform/arm-cca-dev";
  const auto& processor = survey.machine().processor;
  if (survey.provider() != provider) {
    if (!survey.machine().has(platform)) return;
    return survey.pass_over(TeeKind::cca, std::string{platform},
                            "a realm, but " + std::string{tsm_directory} +
                                " does not answer for it: mount configfs and load the module arm_cca_guest");
  }
  if (!processor || processor->architecture == "aarch64") return survey.take(TeeKind::cca, tsm_device(provider));
  survey.pass_over(TeeKind::cca, tsm_device(provider), "the processor is " + processor->architecture + ", not aarch64");
}

void probe_se(Survey& survey) {
  constexpr std::string_view guest = "/sys/firmware/uv/prot_virt_guest";
  constexpr std::string_view host = "/sys/firmware/uv/prot_virt_host";
  if (survey.machine().first_line(guest) == "1") return survey.take(TeeKind::se, std::string{guest});
  if (survey.machine().first_line(host) != "1") return;
  survey.pass_over(TeeKind::se, std::string{host}, "this machine can start protected guests, and is none");
}

void probe_nitro(Survey& survey) {
  if (survey.machine().has("/dev/nsm")) return survey.take(TeeKind::nitro, "/dev/nsm");
  if (!survey.machine().has("/dev/nitro_enclaves")) return;
  survey.pass_over(TeeKind::nitro, "/dev/nitro_enclaves", "this instance can start enclaves, and is none");
}

void probe_tpm(Survey& survey) {
  constexpr std::string_view meaning = "boot is measured, memory is not encrypted";
  const auto& machine = survey.machine();
  const auto named = machine.environment ? machine.environment("AA_TPM_DEVICE").value_or("") : "";
  if (!named.empty()) {
    // A path, or a connection string of libtss2 ("swtpm:port=2321").
    std::error_code ignored;
    if (named.contains(':') || std::filesystem::exists(named, ignored)) {
      return survey.take(TeeKind::tpm, "AA_TPM_DEVICE=" + named, std::string{meaning});
    }
    return survey.pass_over(TeeKind::tpm, "AA_TPM_DEVICE=" + named, "there is no such file");
  }
  const auto device = survey.first_of({"/dev/tpmrm0", "/dev/tpm0", "/dev/tpm1", "/dev/tpm2"});
  if (!device.empty()) survey.take(TeeKind::tpm, device, std::string{meaning});
}

}  // namespace coffer::evidence::detail
