#include "evidence/detect.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "evidence/detect/machine.h"
#include "evidence/device/fake_tsm_testing.h"
#include "testing/temporary_directory.h"
#ifdef COFFER_TEE_AZ_VTPM
#include "evidence/az_vtpm/hcl_report.h"
#endif

namespace coffer::evidence {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// A machine of made-up files, above KVM, without a TSM interface.
class Detect : public testing::Test {
 protected:
  Detect() { tsm_.absent = true; }

  void put(const std::string& file, const std::string& content = {}) const { root_.write(file.substr(1), content); }
  void provide(const std::string& provider) {
    tsm_.absent = false;
    tsm_.provider = provider;
  }
  Machine machine() {
    Machine out{.root = root_.path(), .processor = processor_, .tsm = &tsm_};
    out.environment = [this](const char* name) -> std::optional<std::string> {
      const auto found = environment_.find(name);
      if (found == environment_.end()) return std::nullopt;
      return found->second;
    };
    out.paravisor_report = [this] {
      ++asked_paravisor_;
      return paravisor_;
    };
    return out;
  }
  // "snp" for one that was taken, "!snp" for one that was passed over.
  std::vector<std::string> survey() {
    std::vector<std::string> out;
    for (const auto& each : survey_tees(machine())) {
      out.push_back((each.taken ? "" : "!") + std::string{wire_name(each.kind)});
    }
    return out;
  }
  std::string reason() { return to_text(survey_tees(machine()).at(0)); }

  TemporaryDirectory root_;
  device::FakeTsm tsm_;
  std::optional<Processor> processor_ = Processor{"x86_64", true, "KVMKVMKVM", false};
  std::map<std::string, std::string> environment_;
  Result<Bytes> paravisor_ = fail(EvidenceError::no_device, "the TPM has no NV index 0x1400001");
  int asked_paravisor_ = 0;
};

TEST_F(Detect, a_machine_without_devices_has_no_tee_and_never_the_sample) {
  EXPECT_THAT(survey(), IsEmpty());
  EXPECT_TRUE(detect_tees(root_.path()).empty());
  EXPECT_FALSE(detect_tee(root_.path()));
}

TEST_F(Detect, a_host_that_can_start_sev_guests_is_none) {
  put("/dev/sev");
  EXPECT_THAT(survey(), ElementsAre("!snp"));
  EXPECT_EQ(reason(), "snp: not taken, /dev/sev: this machine can start SEV guests, and is none");
}

TEST_F(Detect, an_snp_guest_shows_its_device_its_platform_device_or_its_provider) {
  put("/dev/sev-guest");
  put("/dev/sev");
  EXPECT_THAT(survey(), ElementsAre("snp"));
  EXPECT_EQ(detect_tee(root_.path())->device, "/dev/sev-guest");
  std::filesystem::remove_all(root_.path() / "dev");
  put("/sys/devices/platform/sev-guest/uevent");
  EXPECT_THAT(survey(), ElementsAre("snp"));
  std::filesystem::remove_all(root_.path() / "sys");
  provide("sev_guest");
  EXPECT_THAT(survey(), ElementsAre("snp"));
  EXPECT_THAT(reason(), HasSubstr("tsm/report (sev_guest)"));
}

TEST_F(Detect, a_guests_device_on_bare_metal_is_somebody_elses_file) {
  put("/dev/sev-guest");
  processor_->hypervisor = false;
  EXPECT_THAT(survey(), ElementsAre("!snp"));
  EXPECT_THAT(reason(), HasSubstr("no hypervisor"));
}

TEST_F(Detect, a_trust_domain_shows_its_provider_or_its_device) {
  processor_->trust_domain = true;
  provide("tdx_guest");
  EXPECT_THAT(survey(), ElementsAre("tdx"));
  EXPECT_THAT(tsm_.directories, IsEmpty());
  tsm_.absent = true;
  put("/dev/tdx_guest");
  EXPECT_THAT(survey(), ElementsAre("tdx"));
  EXPECT_THAT(reason(), HasSubstr("mount configfs"));
}

TEST_F(Detect, what_the_processor_denies_is_no_trust_domain_and_what_it_does_not_say_may_be_one) {
  put("/dev/tdx-guest");
  EXPECT_THAT(survey(), ElementsAre("!tdx"));
  EXPECT_THAT(reason(), HasSubstr("CPUID leaf 0x21"));
  processor_.reset();
  EXPECT_THAT(survey(), ElementsAre("tdx"));
}

TEST_F(Detect, a_host_that_can_start_trust_domains_is_none) {
  put("/sys/module/kvm_intel/parameters/tdx", "N\n");
  EXPECT_THAT(survey(), IsEmpty());
  put("/sys/module/kvm_intel/parameters/tdx", "Y\n");
  EXPECT_THAT(survey(), ElementsAre("!tdx"));
}

TEST_F(Detect, a_machine_that_can_start_enclaves_runs_this_program_in_none) {
  put("/dev/sgx_enclave");
  put("/dev/sgx_provision");
  EXPECT_THAT(survey(), ElementsAre("!sgx"));
  EXPECT_THAT(reason(), HasSubstr("/dev/sgx_enclave: this machine can start enclaves"));
}

TEST_F(Detect, gramine_attests_where_it_says_dcap) {
  put("/dev/attestation/attestation_type", "none\n");
  EXPECT_THAT(survey(), ElementsAre("!sgx"));
  EXPECT_THAT(reason(), HasSubstr("attests by \"none\""));
  put("/dev/attestation/attestation_type", "dcap\n");
  EXPECT_THAT(survey(), ElementsAre("sgx"));
}

TEST_F(Detect, occlum_takes_its_variable_and_its_device) {
  environment_["OCCLUM"] = "yes";
  EXPECT_THAT(survey(), ElementsAre("!sgx"));
  put("/dev/sgx/enclave");  // the driver's directory on a host
  EXPECT_THAT(survey(), ElementsAre("!sgx"));
  std::filesystem::remove_all(root_.path() / "dev");
  put("/dev/sgx");
  EXPECT_THAT(survey(), ElementsAre("sgx"));
  environment_.clear();
  EXPECT_THAT(survey(), IsEmpty());
}

TEST_F(Detect, a_realm_needs_arms_processor_and_the_kernels_reports) {
  put("/sys/devices/platform/arm-cca-dev/uevent");
  EXPECT_THAT(survey(), ElementsAre("!cca"));
  EXPECT_THAT(reason(), HasSubstr("load the module arm_cca_guest"));
  provide("arm_cca_guest");
  EXPECT_THAT(survey(), ElementsAre("!cca"));
  EXPECT_THAT(reason(), HasSubstr("not aarch64"));
  processor_ = Processor{"aarch64", false, "", false};
  EXPECT_THAT(survey(), ElementsAre("cca"));
}

TEST_F(Detect, protected_virtualisation_is_the_guests_or_the_hosts) {
  put("/sys/firmware/uv/prot_virt_guest", "0\n");
  EXPECT_THAT(survey(), IsEmpty());
  put("/sys/firmware/uv/prot_virt_host", "1\n");
  EXPECT_THAT(survey(), ElementsAre("!se"));
  put("/sys/firmware/uv/prot_virt_guest", "1\n");
  EXPECT_THAT(survey(), ElementsAre("se"));
}

TEST_F(Detect, an_enclave_of_nitro_has_its_module_and_its_parent_has_not) {
  put("/dev/nitro_enclaves");
  EXPECT_THAT(survey(), ElementsAre("!nitro"));
  put("/dev/nsm");
  EXPECT_THAT(survey(), ElementsAre("nitro"));
}

TEST_F(Detect, the_confidential_device_comes_before_the_tpm_beside_it) {
  put("/dev/tpm0");
  put("/dev/tpmrm0");
  EXPECT_THAT(survey(), ElementsAre("tpm"));
  put("/dev/csv-guest");
  EXPECT_THAT(survey(), ElementsAre("csv", "tpm"));
  EXPECT_EQ(asked_paravisor_, 0);
}

TEST_F(Detect, a_tpm_may_be_named) {
  environment_["AA_TPM_DEVICE"] = "swtpm:port=2321";
  EXPECT_THAT(survey(), ElementsAre("tpm"));
  environment_["AA_TPM_DEVICE"] = "/nonexistent/tpm7";
  EXPECT_THAT(survey(), ElementsAre("!tpm"));
}

#ifdef COFFER_TEE_AZ_VTPM
Bytes report_of(az_vtpm::Hardware hardware) {
  return az_vtpm::HclReport{hardware, {}, as_bytes("{}")}.encode(2600);
}

TEST_F(Detect, azures_paravisor_tells_which_hardware_is_below_it) {
  put("/dev/tpm0");
  processor_->hypervisor_vendor = "Microsoft Hv";
  paravisor_ = report_of(az_vtpm::Hardware::snp);
  EXPECT_THAT(survey(), ElementsAre("az-snp-vtpm", "tpm"));
  paravisor_ = report_of(az_vtpm::Hardware::tdx);
  EXPECT_THAT(survey(), ElementsAre("az-tdx-vtpm", "tpm"));
}

TEST_F(Detect, azures_plain_machines_are_tpms_and_say_why) {
  put("/dev/tpmrm0");
  put("/sys/class/dmi/id/sys_vendor", "Microsoft Corporation\n");
  processor_.reset();
  EXPECT_THAT(survey(), ElementsAre("!az-snp-vtpm", "tpm"));
  EXPECT_THAT(reason(), HasSubstr("none of its confidential ones"));
  paravisor_ = fail(EvidenceError::device_failed, "Permission denied");
  EXPECT_THAT(reason(), HasSubstr("cannot be read: Permission denied"));
  paravisor_ = to_bytes("no report");
  EXPECT_THAT(survey(), ElementsAre("!az-snp-vtpm", "tpm"));
}
#endif

TEST(Processor, this_one_states_its_architecture) {
  EXPECT_FALSE(this_processor().architecture.empty());
}

}  // namespace
}  // namespace coffer::evidence
