#include "appraisal/reference_proposal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace coffer::appraisal {
namespace {

namespace json = codec::json;
using evidence::TeeKind;
using testing::IsEmpty;

json::Object parsed(std::string_view text) {
  return *json::parse(text)->if_object();
}

std::string as_text(const std::vector<ProposedReference>& references) {
  std::string out;
  for (const auto& each : references) out += each.name + "=" + json::serialize(each.value) + " ";
  return out;
}

TEST(ReferenceProposal, lists_and_bare_values_follow_what_the_policy_asks) {
  const auto claims = parsed(R"({"measurement":"ab","reported_tcb_snp":20,"policy_abi_major":1})");
  const auto proposed = propose_references(TeeKind::snp, claims);
  EXPECT_EQ(as_text(proposed), R"(snp_launch_measurement=["ab"] snp_snp_svn=[20] snp_guest_abi_major=1 )");
  EXPECT_EQ(proposed.front().claim, "snp.measurement");
}

TEST(ReferenceProposal, nested_claims_are_found) {
  const auto claims = parsed(R"({"quote":{"body":{"rtmr_1":"11","mr_td":"22"}},"tcb_status":"UpToDate"})");
  EXPECT_EQ(as_text(propose_references(TeeKind::tdx, claims)), R"(rtmr_1=["11"] mr_td=["22"] )");
}

TEST(ReferenceProposal, an_enclave_of_keystone_gives_its_hash_and_its_monitors) {
  const auto claims = parsed(R"({"enclave":{"hash":"ee","data":"00"},"security_monitor":{"hash":"11"}})");
  EXPECT_EQ(as_text(propose_references(TeeKind::keystone, claims)),
            R"(keystone_enclave_hash=["ee"] keystone_monitor_hash=["11"] )");
}

TEST(ReferenceProposal, boot_events_give_the_digests_of_kernel_and_command_line) {
  const auto claims = parsed(R"json({"uefi_event_logs":[
    {"type_name":"EV_EFI_BOOT_SERVICES_APPLICATION","details":{"device_paths":["File(shim)"]},"digests":[{"digest":"00"}]},
    {"type_name":"EV_EFI_BOOT_SERVICES_APPLICATION","details":{"device_paths":["File(kernel)"]},"digests":[{"digest":"aa"}]},
    {"type_name":"EV_EVENT_TAG","details":{"string":"LOADED_IMAGE::LoadOptions"},"digests":[{"digest":"bb"}]}]})json");
  EXPECT_EQ(as_text(propose_references(TeeKind::tdx, claims)), R"(tdvfkernel="aa" tdvfkernelparams="bb" )");
}

TEST(ReferenceProposal, a_register_that_nothing_was_extended_into_is_no_reference) {
  const auto claims = parsed(R"({"pcr04":"ab00","pcr11":"0000","ak_public":"AAAA"})");
  EXPECT_EQ(as_text(propose_references(TeeKind::tpm, claims)), R"(trusted_aks=["AAAA"] tpm_pcr04=["ab00"] )");
}

TEST(ReferenceProposal, a_gpu_gives_its_versions_and_the_registers_that_hold_something) {
  const auto claims = parsed(R"({"measurements":{"1":"0000","2":"ab"},"config":{"fwid":"f5","driver_version":"550"}})");
  EXPECT_EQ(as_text(propose_references(TeeKind::nvidia, claims)),
            R"(allowed_gpu_fwids=["f5"] allowed_driver_versions=["550"] allowed_gpu_measurements={"2":"ab"} )");
  EXPECT_THAT(propose_references(TeeKind::nvidia, parsed(R"({"measurements":{"1":"00"}})")), IsEmpty());
  EXPECT_THAT(propose_references(TeeKind::nvidia, parsed(R"({"measurements":[]})")), IsEmpty());
}

TEST(ReferenceProposal, claims_of_odd_shape_are_passed_over) {
  EXPECT_THAT(propose_references(TeeKind::tdx, parsed(R"({"quote":7,"uefi_event_logs":{}})")), IsEmpty());
  EXPECT_THAT(propose_references(TeeKind::tdx, parsed(R"({"uefi_event_logs":[{"type_name":1,"details":[]},3]})")),
              IsEmpty());
  EXPECT_THAT(propose_references(TeeKind::csv, parsed(R"({"measure":"00"})")), IsEmpty());
}

}  // namespace
}  // namespace coffer::appraisal
