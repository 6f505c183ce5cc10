#include "appraisal/reference_proposal.h"

#include <algorithm>
#include <array>

namespace coffer::appraisal {

namespace json = codec::json;
using evidence::TeeKind;

namespace {

enum class Form { list, scalar };

struct Row {
  TeeKind tee;
  std::string_view name;
  std::string_view pointer;  // into the TEE's claims
  Form form = Form::list;
};

constexpr std::array rows{
    Row{TeeKind::snp, "snp_launch_measurement", "/measurement"},
    Row{TeeKind::snp, "snp_bootloader", "/reported_tcb_bootloader"},
    Row{TeeKind::snp, "snp_microcode", "/reported_tcb_microcode"},
    Row{TeeKind::snp, "snp_snp_svn", "/reported_tcb_snp"},
    Row{TeeKind::snp, "snp_tee_svn", "/reported_tcb_tee"},
    Row{TeeKind::snp, "snp_smt_enabled", "/platform_smt_enabled", Form::scalar},
    Row{TeeKind::snp, "snp_tsme_enabled", "/platform_tsme_enabled", Form::scalar},
    Row{TeeKind::snp, "snp_guest_abi_major", "/policy_abi_major", Form::scalar},
    Row{TeeKind::snp, "snp_guest_abi_minor", "/policy_abi_minor", Form::scalar},
    Row{TeeKind::snp, "snp_single_socket", "/policy_single_socket", Form::scalar},
    Row{TeeKind::snp, "snp_smt_allowed", "/policy_smt_allowed", Form::scalar},
    Row{TeeKind::tdx, "rtmr_1", "/quote/body/rtmr_1"},
    Row{TeeKind::tdx, "rtmr_2", "/quote/body/rtmr_2"},
    Row{TeeKind::tdx, "mr_td", "/quote/body/mr_td"},
    Row{TeeKind::tdx, "xfam", "/quote/body/xfam"},
    Row{TeeKind::az_snp_vtpm, "measurement", "/measurement"},
    Row{TeeKind::az_snp_vtpm, "snp_pcr11", "/tpm/pcr11"},
    Row{TeeKind::az_snp_vtpm, "tcb_bootloader", "/reported_tcb_bootloader"},
    Row{TeeKind::az_snp_vtpm, "tcb_microcode", "/reported_tcb_microcode"},
    Row{TeeKind::az_snp_vtpm, "tcb_snp", "/reported_tcb_snp"},
    Row{TeeKind::az_snp_vtpm, "tcb_tee", "/reported_tcb_tee"},
    Row{TeeKind::az_snp_vtpm, "smt_enabled", "/platform_smt_enabled"},
    Row{TeeKind::az_snp_vtpm, "tsme_enabled", "/platform_tsme_enabled"},
    Row{TeeKind::az_snp_vtpm, "abi_major", "/policy_abi_major"},
    Row{TeeKind::az_snp_vtpm, "abi_minor", "/policy_abi_minor"},
    Row{TeeKind::az_snp_vtpm, "single_socket", "/policy_single_socket"},
    Row{TeeKind::az_snp_vtpm, "smt_allowed", "/policy_smt_allowed"},
    Row{TeeKind::az_tdx_vtpm, "tdx_pcr11", "/tpm/pcr11"},
    Row{TeeKind::az_tdx_vtpm, "mr_td", "/quote/body/mr_td"},
    Row{TeeKind::az_tdx_vtpm, "xfam", "/quote/body/xfam"},
    Row{TeeKind::tpm, "tpm_pcr11", "/pcr11"},
    Row{TeeKind::tpm, "trusted_aks", "/ak_public"},
    Row{TeeKind::tpm, "tpm_pcr04", "/pcr04"},
    Row{TeeKind::tpm, "tpm_pcr07", "/pcr07"},
    Row{TeeKind::tpm, "tpm_pcr09", "/pcr09"},
    Row{TeeKind::nitro, "nitro_pcr0", "/pcrs/pcr0"},
    Row{TeeKind::sgx, "sgx_mr_enclave", "/body/mr_enclave"},
    Row{TeeKind::sgx, "sgx_attributes_flags", "/body/attributes.flags"},
    Row{TeeKind::cca, "cca_realm_initial_measurement", "/realm/cca-realm-initial-measurement"},
    Row{TeeKind::cca, "cca_platform_implementation_id", "/platform/cca-platform-implementation-id"},
    Row{TeeKind::psa, "psa_implementation_id", "/psa-implementation-id"},
    Row{TeeKind::keystone, "keystone_enclave_hash", "/enclave/hash"},
    Row{TeeKind::keystone, "keystone_monitor_hash", "/security_monitor/hash"},
    Row{TeeKind::nvidia, "allowed_gpu_fwids", "/config/fwid"},
    Row{TeeKind::nvidia, "allowed_driver_versions", "/config/driver_version"},
    Row{TeeKind::nvidia, "allowed_vbios_versions", "/config/vbios_version"},
    Row{TeeKind::sample, "launch_digest", "/launch_digest"},
    Row{TeeKind::sample, "svn", "/svn"},
    Row{TeeKind::sample, "major_version", "/platform_version/major", Form::scalar},
    Row{TeeKind::sample, "minimum_minor_version", "/platform_version/minor", Form::scalar},
};

const json::Value* at(const json::Object& claims, std::string_view pointer) {
  const auto slash = pointer.find('/', 1);
  const auto* member = claims.find(pointer.substr(1, slash == std::string_view::npos ? slash : slash - 1));
  if (member == nullptr || slash == std::string_view::npos) return member;
  const auto* inner = member->if_object();
  return inner == nullptr ? nullptr : at(*inner, pointer.substr(slash));
}

std::string claim_name(TeeKind tee, std::string_view pointer) {
  std::string out{wire_name(tee)};
  out += pointer;
  std::ranges::replace(out, '/', '.');
  return out;
}

std::string_view text_of(const json::Value& event, std::string_view key) {
  const auto* value = event.find(key);
  return value == nullptr || value->if_string() == nullptr ? std::string_view{} : *value->if_string();
}

bool is_kernel(const json::Value& event) {
  const auto* details = event.find("details");
  const auto* paths = details == nullptr ? nullptr : details->find("device_paths");
  if (text_of(event, "type_name") != "EV_EFI_BOOT_SERVICES_APPLICATION" || paths == nullptr) return false;
  const auto* list = paths->if_array();
  return list != nullptr && std::ranges::any_of(*list, [](const json::Value& path) {
           return path.if_string() != nullptr && *path.if_string() == "File(kernel)";
         });
}

bool is_command_line(const json::Value& event) {
  const auto* details = event.find("details");
  return text_of(event, "type_name") == "EV_EVENT_TAG" && details != nullptr &&
         text_of(*details, "string") == "LOADED_IMAGE::LoadOptions";
}

// A register that nothing was extended into says nothing of what was booted: a rule that asks for zeros would let any
// system in.
bool is_zero_register(std::string_view pointer, const json::Value& claim) {
  const auto* text = claim.if_string();
  return pointer.find("/pcr") != std::string_view::npos && text != nullptr &&
         text->find_first_not_of('0') == std::string::npos;
}

// What tdx's rules ask of the boot events: the digest of the first one that fits.
void propose_event(const json::Object& claims, std::string_view name, bool (*fits)(const json::Value&),
                   std::vector<ProposedReference>& out) {
  const auto* log = claims.find("uefi_event_logs");
  if (log == nullptr || log->if_array() == nullptr) return;
  const auto event = std::ranges::find_if(*log->if_array(), fits);
  if (event == log->if_array()->end()) return;
  const auto* digests = event->find("digests");
  if (digests == nullptr || digests->if_array() == nullptr || digests->if_array()->empty()) return;
  const auto* digest = digests->if_array()->front().find("digest");
  if (digest != nullptr) out.push_back({std::string{name}, *digest, "tdx.uefi_event_logs"});
}

// A GPU's measurements by index, those of nothing left out: a rule that asks for zeros would hold for any GPU.
void propose_gpu_measurements(const json::Object& claims, std::vector<ProposedReference>& out) {
  const auto* measurements = claims.find("measurements");
  if (measurements == nullptr || measurements->if_object() == nullptr) return;
  json::Object wanted;
  for (const auto& [index, value] : *measurements->if_object()) {
    const auto* text = value.if_string();
    if (text != nullptr && text->find_first_not_of('0') != std::string::npos) wanted.append(index, value);
  }
  if (!wanted.empty()) out.push_back({"allowed_gpu_measurements", std::move(wanted), "nvidia.measurements"});
}

}  // namespace

std::vector<ProposedReference> propose_references(TeeKind tee, const json::Object& claims) {
  std::vector<ProposedReference> out;
  for (const auto& row : rows) {
    const auto* claim = row.tee == tee ? at(claims, row.pointer) : nullptr;
    if (claim == nullptr || is_zero_register(row.pointer, *claim)) continue;
    auto value = row.form == Form::scalar ? *claim : json::Value{json::Array{*claim}};
    out.push_back({std::string{row.name}, std::move(value), claim_name(tee, row.pointer)});
  }
  if (tee == TeeKind::nvidia) propose_gpu_measurements(claims, out);
  if (tee == TeeKind::tdx) {
    propose_event(claims, "tdvfkernel", is_kernel, out);
    propose_event(claims, "tdvfkernelparams", is_command_line, out);
  }
  return out;
}

}  // namespace coffer::appraisal
