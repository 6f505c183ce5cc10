// The default policies against hand-made evidence: each row starts from what affirms and breaks one thing
// (trustee.md 3.2).
#include <gtest/gtest.h>

#include <cstdlib>
#include <map>

#include "appraisal/ear.h"
#include "appraisal/policies.h"

namespace coffer::appraisal {
namespace {

namespace json = codec::json;

json::Value parsed(std::string_view text) {
  auto value = json::parse(text);
  EXPECT_TRUE(value) << text;
  return value.value_or(json::Value{});
}

const policy::Policy& policy_of(std::string_view id) {
  static std::map<std::string, policy::Policy, std::less<>> cache;
  if (const auto found = cache.find(id); found != cache.end()) return found->second;
  for (const auto& each : default_policies()) {
    if (each.id != id) continue;
    auto policy = policy::Policy::parse(std::string{id}, std::string{each.text});
    EXPECT_TRUE(policy) << to_string(policy.error());
    return cache.emplace(id, *std::move(policy)).first->second;
  }
  std::abort();
}

json::Value evaluate(std::string_view policy, std::string_view rule, const json::Value& input,
                     const json::Value& references) {
  const auto result =
      policy_of(policy).evaluate({.query = "data.policy." + std::string{rule},
                                  .input = input,
                                  .reference_values = [&](const std::string& id) -> Result<std::optional<json::Value>> {
                                    const auto* value = references.find(id);
                                    return value == nullptr ? std::nullopt : std::optional{*value};
                                  }});
  EXPECT_TRUE(result) << to_string(result.error());
  return result && result->value ? *result->value : json::Value{};
}

struct Vector {
  int executables, hardware, configuration;
  bool operator==(const Vector&) const = default;
};

void PrintTo(const Vector& v, std::ostream* out) {
  *out << "executables " << v.executables << ", hardware " << v.hardware << ", configuration " << v.configuration;
}

Vector appraise(std::string_view policy, const json::Value& input, const json::Value& references) {
  const auto vector = TrustVector::parse(evaluate(policy, "trust_claims", input, references));
  EXPECT_TRUE(vector) << to_string(vector.error());
  if (!vector) return {};
  EXPECT_EQ(vector->to_json().size(), 8U);
  return {vector->get("executables").value_or(-99), vector->get("hardware").value_or(-99),
          vector->get("configuration").value_or(-99)};
}

// Sets the value at a path of member names.
json::Value with(json::Value root, std::initializer_list<std::string_view> path, json::Value value) {
  auto* at = &root;
  for (const auto name : path) {
    auto* object = at->if_object();
    at = object->contains(name) ? object->find(name) : &object->set(name, json::Value{});
  }
  *at = std::move(value);
  return root;
}

constexpr Vector contraindicated{33, 97, 36};

// ---- sample

const auto sample = parsed(R"({"sample":{"svn":"1","launch_digest":"abcde","debug":false,
  "platform_version":{"major":1,"minor":4}},"report_data":"aa"})");
const auto sample_references = parsed(R"({"launch_digest":["abcde"],"svn":["1"],"major_version":1,
  "minimum_minor_version":1})");

TEST(DefaultCpuPolicy, sample_is_affirmed_by_its_reference_values) {
  EXPECT_EQ(appraise("default_cpu", sample, sample_references), (Vector{3, 2, 2}));
}

TEST(DefaultCpuPolicy, sample_without_reference_values_is_contraindicated_but_for_its_configuration) {
  EXPECT_EQ(appraise("default_cpu", sample, json::Object{}), (Vector{33, 97, 2}));
}

TEST(DefaultCpuPolicy, each_condition_of_sample_counts) {
  const auto check = [](const json::Value& input, const json::Value& references) {
    return appraise("default_cpu", input, references);
  };
  EXPECT_EQ(check(with(sample, {"sample", "launch_digest"}, "x"), sample_references), (Vector{33, 2, 2}));
  EXPECT_EQ(check(with(sample, {"sample", "svn"}, "2"), sample_references), (Vector{3, 97, 2}));
  EXPECT_EQ(check(with(sample, {"sample", "platform_version", "major"}, 2), sample_references), (Vector{3, 97, 2}));
  EXPECT_EQ(check(with(sample, {"sample", "platform_version", "minor"}, 0), sample_references), (Vector{3, 97, 2}));
  EXPECT_EQ(check(with(sample, {"sample", "debug"}, true), sample_references), (Vector{3, 2, 36}));
  auto no_minimum = sample_references;
  no_minimum.if_object()->erase("minimum_minor_version");
  EXPECT_EQ(check(sample, no_minimum), (Vector{3, 97, 2}));
}

// ---- snp

const auto snp = parsed(R"({"snp":{"measurement":"m","reported_tcb_bootloader":3,"reported_tcb_microcode":115,
  "reported_tcb_snp":8,"reported_tcb_tee":0,"policy_debug_allowed":false,"policy_migrate_ma":false,
  "platform_smt_enabled":true,"platform_tsme_enabled":false,"policy_abi_major":0,"policy_abi_minor":0,
  "policy_single_socket":false,"policy_smt_allowed":true}})");
const auto snp_references = parsed(R"({"snp_launch_measurement":["m"],"snp_bootloader":[3],"snp_microcode":[115],
  "snp_snp_svn":[8],"snp_tee_svn":[0],"snp_smt_enabled":true,"snp_tsme_enabled":false,"snp_guest_abi_major":0,
  "snp_guest_abi_minor":0,"snp_single_socket":false,"snp_smt_allowed":true})");

TEST(DefaultCpuPolicy, snp_is_affirmed_by_its_reference_values) {
  EXPECT_EQ(appraise("default_cpu", snp, snp_references), (Vector{3, 2, 2}));
}

TEST(DefaultCpuPolicy, each_firmware_version_of_snp_counts) {
  for (const auto name :
       {"reported_tcb_bootloader", "reported_tcb_microcode", "reported_tcb_snp", "reported_tcb_tee"}) {
    EXPECT_EQ(appraise("default_cpu", with(snp, {"snp", name}, 77), snp_references), (Vector{3, 97, 2})) << name;
  }
  EXPECT_EQ(appraise("default_cpu", with(snp, {"snp", "measurement"}, "x"), snp_references), (Vector{33, 2, 2}));
}

TEST(DefaultCpuPolicy, snp_settings_that_nobody_named_are_only_free_of_known_weakness) {
  for (const auto name : {"platform_smt_enabled", "platform_tsme_enabled", "policy_abi_major", "policy_abi_minor",
                          "policy_single_socket", "policy_smt_allowed"}) {
    EXPECT_EQ(appraise("default_cpu", with(snp, {"snp", name}, 9), snp_references), (Vector{3, 2, 3})) << name;
  }
}

TEST(DefaultCpuPolicy, an_snp_guest_that_can_be_debugged_or_migrated_is_warned_of) {
  for (const auto name : {"policy_debug_allowed", "policy_migrate_ma"}) {
    EXPECT_EQ(appraise("default_cpu", with(snp, {"snp", name}, true), snp_references), (Vector{3, 2, 36})) << name;
  }
}

// ---- tdx

const auto tdx = parsed(R"json({"tdx":{"quote":{"header":{"tee_type":"81000000",
  "vendor_id":"939a7233f79c4ca9940a0db3957f0607"},"body":{"mr_td":"t","rtmr_1":"r1","rtmr_2":"r2","xfam":"f"}},"td_attributes":{"debug":false},
  "tcb_status":"UpToDate","collateral_expiration_status":"0","uefi_event_logs":[
  {"type_name":"EV_NO_ACTION","details":{}},
  {"type_name":"EV_EFI_BOOT_SERVICES_APPLICATION","details":{"device_paths":["Hw(1)","File(kernel)"]},
   "digests":[{"alg":"SHA-384","digest":"k"}]},
  {"type_name":"EV_EVENT_TAG","details":{"string":"LOADED_IMAGE::LoadOptions"},
   "digests":[{"alg":"SHA-384","digest":"p"}]}]}})json");
const auto tdx_references = parsed(R"({"mr_td":["t"],"rtmr_1":["r1"],"rtmr_2":["r2"],"xfam":["f"],"tdvfkernel":"k",
  "tdvfkernelparams":"p"})");

TEST(DefaultCpuPolicy, tdx_is_affirmed_by_its_reference_values) {
  EXPECT_EQ(appraise("default_cpu", tdx, tdx_references), (Vector{3, 2, 2}));
}

TEST(DefaultCpuPolicy, a_tdx_boot_without_the_events_rests_on_its_registers) {
  EXPECT_EQ(appraise("default_cpu", with(tdx, {"tdx", "uefi_event_logs"}, json::Array{}), tdx_references),
            (Vector{4, 2, 2}));
  EXPECT_EQ(appraise("default_cpu", tdx, with(tdx_references, {"tdvfkernel"}, "x")), (Vector{4, 2, 2}));
  EXPECT_EQ(appraise("default_cpu", tdx, with(tdx_references, {"tdvfkernelparams"}, "x")), (Vector{4, 2, 2}));
}

TEST(DefaultCpuPolicy, each_condition_of_tdx_counts) {
  const auto check = [](std::initializer_list<std::string_view> path, json::Value value) {
    return appraise("default_cpu", with(tdx, path, std::move(value)), tdx_references);
  };
  EXPECT_EQ(check({"tdx", "quote", "body", "rtmr_1"}, "x"), (Vector{33, 2, 2}));
  EXPECT_EQ(check({"tdx", "quote", "body", "rtmr_2"}, "x"), (Vector{33, 2, 2}));
  EXPECT_EQ(check({"tdx", "quote", "header", "tee_type"}, "00000000"), (Vector{3, 97, 2}));
  EXPECT_EQ(check({"tdx", "quote", "header", "vendor_id"}, "x"), (Vector{3, 97, 2}));
  EXPECT_EQ(check({"tdx", "quote", "body", "mr_td"}, "x"), (Vector{3, 97, 2}));
  EXPECT_EQ(check({"tdx", "tcb_status"}, "OutOfDate"), (Vector{3, 97, 2}));
  EXPECT_EQ(check({"tdx", "collateral_expiration_status"}, "1"), (Vector{3, 97, 2}));
  EXPECT_EQ(check({"tdx", "td_attributes", "debug"}, true), (Vector{3, 2, 36}));
  EXPECT_EQ(check({"tdx", "quote", "body", "xfam"}, "x"), (Vector{3, 2, 36}));
}

// ---- the vTPM kinds, tpm, se

TEST(DefaultCpuPolicy, azure_snp_claims_are_strings_in_sets) {
  const auto input = parsed(R"({"az-snp-vtpm":{"measurement":"m","tpm":{"pcr11":"p"},"reported_tcb_bootloader":"3",
    "reported_tcb_microcode":"115","reported_tcb_snp":"8","reported_tcb_tee":"0","platform_smt_enabled":"true",
    "platform_tsme_enabled":"false","policy_abi_major":"0","policy_abi_minor":"31","policy_single_socket":"false",
    "policy_smt_allowed":"true","policy_debug_allowed":"false","policy_migrate_ma":"false"}})");
  const auto references = parsed(R"({"measurement":["m"],"snp_pcr11":["p"],"tcb_bootloader":["3"],
    "tcb_microcode":["115"],"tcb_snp":["8"],"tcb_tee":["0"],"smt_enabled":["true"],"tsme_enabled":["false"],
    "abi_major":["0"],"abi_minor":["31"],"single_socket":["false"],"smt_allowed":["true"]})");
  EXPECT_EQ(appraise("default_cpu", input, references), (Vector{3, 2, 2}));
  EXPECT_EQ(appraise("default_cpu", with(input, {"az-snp-vtpm", "tpm", "pcr11"}, "x"), references), (Vector{33, 2, 2}));
  EXPECT_EQ(appraise("default_cpu", with(input, {"az-snp-vtpm", "reported_tcb_snp"}, "x"), references),
            (Vector{3, 97, 2}));
  for (const auto* claim : {"policy_smt_allowed", "policy_debug_allowed", "policy_migrate_ma"}) {
    EXPECT_EQ(appraise("default_cpu", with(input, {"az-snp-vtpm", claim}, "x"), references), (Vector{3, 2, 36}))
        << claim;
  }
  EXPECT_EQ(appraise("default_cpu", input, json::Object{}), contraindicated);
}

TEST(DefaultCpuPolicy, azure_tdx_rests_on_pcr11_and_the_quote) {
  const auto input = parsed(R"({"az-tdx-vtpm":{"quote":{"header":{"tee_type":"81000000",
    "vendor_id":"939a7233f79c4ca9940a0db3957f0607"},"body":{"mr_td":"t","xfam":"f"}},"tcb_status":"UpToDate",
    "collateral_expiration_status":"0","td_attributes":{"debug":false},"tpm":{"pcr11":"p"}}})");
  const auto references = parsed(R"({"tdx_pcr11":["p"],"mr_td":["t"],"xfam":["f"]})");
  EXPECT_EQ(appraise("default_cpu", input, references), (Vector{3, 2, 2}));
  EXPECT_EQ(appraise("default_cpu", with(input, {"az-tdx-vtpm", "tcb_status"}, "Revoked"), references),
            (Vector{3, 97, 2}));
  EXPECT_EQ(appraise("default_cpu", with(input, {"az-tdx-vtpm", "collateral_expiration_status"}, "1"), references),
            (Vector{3, 97, 2}));
  EXPECT_EQ(appraise("default_cpu", with(input, {"az-tdx-vtpm", "td_attributes", "debug"}, true), references),
            (Vector{3, 2, 36}));
}

// ---- the kinds that upstream's default policy leaves out

TEST(DefaultCpuPolicy, a_nitro_enclave_is_trusted_by_its_image_unless_it_is_a_debug_one) {
  const auto input = parsed(R"({"nitro":{"pcrs":{"pcr0":"a"},"debug":false}})");
  const auto references = parsed(R"({"nitro_pcr0":["a"]})");
  EXPECT_EQ(appraise("default_cpu", input, references), (Vector{3, 2, 2}));
  EXPECT_EQ(appraise("default_cpu", with(input, {"nitro", "pcrs", "pcr0"}, "x"), references), (Vector{33, 2, 2}));
  EXPECT_EQ(appraise("default_cpu", with(input, {"nitro", "debug"}, true), references), (Vector{3, 2, 36}));
  EXPECT_EQ(appraise("default_cpu", input, json::Object{}), (Vector{33, 2, 2}));
}

TEST(DefaultCpuPolicy, an_sgx_enclave_rests_on_measurement_tcb_and_flags) {
  const auto input = parsed(R"({"sgx":{"body":{"mr_enclave":"e","attributes.flags":"05"},"tcb_status":"UpToDate",
    "collateral_expiration_status":"0"}})");
  const auto references = parsed(R"({"sgx_mr_enclave":["e"],"sgx_attributes_flags":["05"]})");
  EXPECT_EQ(appraise("default_cpu", input, references), (Vector{3, 2, 2}));
  EXPECT_EQ(appraise("default_cpu", with(input, {"sgx", "body", "mr_enclave"}, "x"), references), (Vector{33, 2, 2}));
  EXPECT_EQ(appraise("default_cpu", with(input, {"sgx", "tcb_status"}, "OutOfDate"), references), (Vector{3, 97, 2}));
  EXPECT_EQ(appraise("default_cpu", with(input, {"sgx", "body", "attributes.flags"}, "07"), references),
            (Vector{3, 2, 36}));
  EXPECT_EQ(appraise("default_cpu", input, json::Object{}), (Vector{33, 2, 36}));
}

TEST(DefaultCpuPolicy, a_realm_rests_on_its_measurement_and_a_secured_platform) {
  const auto input = parsed(R"({"cca":{"realm":{"cca-realm-initial-measurement":"m"},
    "platform":{"cca-platform-implementation-id":"i","cca-platform-lifecycle":12291}}})");
  const auto references = parsed(R"({"cca_realm_initial_measurement":["m"],"cca_platform_implementation_id":["i"]})");
  EXPECT_EQ(appraise("default_cpu", input, references), (Vector{3, 2, 2}));
  EXPECT_EQ(appraise("default_cpu", with(input, {"cca", "platform", "cca-platform-lifecycle"}, 16384), references),
            (Vector{3, 2, 36}));
  EXPECT_EQ(appraise("default_cpu", input, json::Object{}), (Vector{33, 97, 2}));
}

TEST(DefaultCpuPolicy, a_psa_device_rests_on_every_component) {
  const auto input = parsed(R"({"psa":{"psa-software-components":[{"measurement-value":"a"},{"measurement-value":"b"}],
    "psa-implementation-id":"i","psa-security-lifecycle-name":"secured"}})");
  const auto references = parsed(R"({"psa_software_measurements":["a","b"],"psa_implementation_id":["i"]})");
  EXPECT_EQ(appraise("default_cpu", input, references), (Vector{3, 2, 2}));
  EXPECT_EQ(appraise("default_cpu", input, parsed(R"({"psa_software_measurements":["a"]})")), (Vector{33, 97, 2}));
  EXPECT_EQ(appraise("default_cpu", with(input, {"psa", "psa-software-components"}, json::Array{}), references),
            (Vector{33, 2, 2}));
  EXPECT_EQ(appraise("default_cpu", with(input, {"psa", "psa-security-lifecycle-name"}, "decommissioned"), references),
            (Vector{3, 2, 36}));
}

TEST(DefaultCpuPolicy, a_tpm_is_trusted_by_its_key) {
  const auto input = parsed(R"({"tpm":{"pcr11":"p","ak_public":"k"}})");
  const auto references = parsed(R"({"tpm_pcr11":["p"],"trusted_aks":["k"]})");
  EXPECT_EQ(appraise("default_cpu", input, references), (Vector{3, 2, 0}));
  EXPECT_EQ(appraise("default_cpu", with(input, {"tpm", "ak_public"}, "x"), references), (Vector{33, 2, 0}));
}

TEST(DefaultCpuPolicy, a_measured_boot_is_affirmed_by_each_register_and_the_key) {
  const auto input = parsed(R"({"tpm":{"pcr00":"0","pcr04":"4","pcr07":"7","pcr09":"9","pcr11":"b","ak_public":"k"}})");
  const auto references =
      parsed(R"({"trusted_aks":["k"],"tpm_pcr00":["0"],"tpm_pcr04":["4"],"tpm_pcr07":["7"],"tpm_pcr09":["9"]})");
  EXPECT_EQ(appraise("default_cpu", input, references), (Vector{3, 2, 0}));
  for (const std::string_view claim : {"pcr00", "pcr04", "pcr07", "pcr09", "ak_public"}) {
    EXPECT_EQ(appraise("default_cpu", with(input, {"tpm", claim}, "x"), references), (Vector{33, 2, 0})) << claim;
  }
}

TEST(DefaultCpuPolicy, firmware_of_a_measured_boot_counts_where_it_is_named) {
  const auto input = parsed(R"({"tpm":{"pcr00":"0","pcr04":"4","pcr07":"7","pcr09":"9","ak_public":"k"}})");
  auto references = parsed(R"({"trusted_aks":["k"],"tpm_pcr04":["4"],"tpm_pcr07":["7"],"tpm_pcr09":["9"]})");
  EXPECT_EQ(appraise("default_cpu", input, references), (Vector{3, 2, 0}));
  references = with(references, {"tpm_pcr00"}, json::Array{"other"});
  EXPECT_EQ(appraise("default_cpu", input, references), (Vector{33, 2, 0}));
}

TEST(DefaultCpuPolicy, init_data_of_a_measured_boot_counts_where_it_is_named) {
  const auto input = parsed(R"({"tpm":{"pcr04":"4","pcr07":"7","pcr08":"8","pcr09":"9","ak_public":"k"}})");
  auto references = parsed(R"({"trusted_aks":["k"],"tpm_pcr04":["4"],"tpm_pcr07":["7"],"tpm_pcr09":["9"]})");
  EXPECT_EQ(appraise("default_cpu", input, references), (Vector{3, 2, 0}));
  EXPECT_EQ(appraise("default_cpu", input, with(references, {"tpm_pcr08"}, json::Array{"8"})), (Vector{3, 2, 0}));
  references = with(references, {"tpm_pcr08"}, json::Array{"other"});
  EXPECT_EQ(appraise("default_cpu", input, references), (Vector{33, 2, 0}));
}

TEST(DefaultCpuPolicy, a_keystone_enclave_rests_on_its_hash_and_its_monitor) {
  const auto input = parsed(R"({"keystone":{"enclave":{"hash":"e"},"security_monitor":{"hash":"m"}}})");
  const auto references = parsed(R"({"keystone_enclave_hash":["e"],"keystone_monitor_hash":["m"]})");
  EXPECT_EQ(appraise("default_cpu", input, references), (Vector{3, 2, 2}));
  EXPECT_EQ(appraise("default_cpu", input, json::Object{}), contraindicated);
  EXPECT_EQ(appraise("default_cpu", with(input, {"keystone", "enclave", "hash"}, "x"), references), (Vector{33, 2, 2}));
  EXPECT_EQ(appraise("default_cpu", with(input, {"keystone", "security_monitor", "hash"}, "x"), references),
            (Vector{3, 97, 36}));
}

const auto toy = parsed(R"({"external":{"toy":{"image":{"digest":"i","version":3},"svn":7,"debug":false}}})");
const auto toy_references = parsed(R"({
  "external_toy_executables":["image.digest","image.version"],"external_toy_image_digest":["other","i"],
  "external_toy_image_version":[3],"external_toy_hardware":["svn"],"external_toy_svn":[7,8],
  "external_toy_configuration":["debug"],"external_toy_debug":[false]})");

TEST(DefaultCpuPolicy, claims_of_an_external_tee_count_as_its_owner_says) {
  EXPECT_EQ(appraise("default_cpu", toy, toy_references), (Vector{3, 2, 2}));
  const auto changed = [](std::initializer_list<std::string_view> path, json::Value value) {
    return appraise("default_cpu", with(toy, path, std::move(value)), toy_references);
  };
  EXPECT_EQ(changed({"external", "toy", "image", "digest"}, "x"), (Vector{33, 2, 2}));
  EXPECT_EQ(changed({"external", "toy", "image", "version"}, "3"), (Vector{33, 2, 2}));
  EXPECT_EQ(changed({"external", "toy", "image"}, "i"), (Vector{33, 2, 2}));
  EXPECT_EQ(changed({"external", "toy", "svn"}, 6), (Vector{3, 97, 2}));
  EXPECT_EQ(changed({"external", "toy", "debug"}, true), (Vector{3, 2, 36}));
}

TEST(DefaultCpuPolicy, claims_of_an_external_tee_count_for_nothing_unless_named) {
  EXPECT_EQ(appraise("default_cpu", toy, json::Object{}), contraindicated);
  for (const auto* name : {"external_toy_executables", "external_toy_image_digest", "external_toy_image_version"}) {
    auto references = toy_references;
    references.if_object()->erase(name);
    EXPECT_EQ(appraise("default_cpu", toy, references), (Vector{33, 2, 2})) << name;
  }
  EXPECT_EQ(appraise("default_cpu", toy, with(toy_references, {"external_toy_executables"}, json::Array{})),
            (Vector{33, 2, 2}));
  // A claim that is not there is not taken for null, nor another type's for this one's.
  const auto missing = with(with(toy_references, {"external_toy_hardware"}, json::Array{"none"}), {"external_toy_none"},
                            json::Array{"x"});
  EXPECT_EQ(appraise("default_cpu", toy, missing), (Vector{3, 97, 2}));
  const auto other = parsed(R"({"external":{"other":{"svn":7,"image":{"digest":"i","version":3},"debug":false}}})");
  EXPECT_EQ(appraise("default_cpu", other, toy_references), contraindicated);
}

TEST(DefaultCpuPolicy, secure_execution_rests_on_its_verifier_and_the_rest_on_nothing) {
  EXPECT_EQ(appraise("default_cpu", parsed(R"({"se":{"version":"1"}})"), json::Object{}), (Vector{3, 2, 2}));
  for (const auto tee : {"sgx", "cca", "csv", "psa", "keystone"}) {
    EXPECT_EQ(appraise("default_cpu", json::Object{{tee, json::Object{{"x", 1}}}}, json::Object{}), contraindicated);
  }
  EXPECT_EQ(appraise("default_cpu", json::Object{}, json::Object{}), contraindicated);
}

TEST(DefaultCpuPolicy, identifiers_come_from_the_agent_policy) {
  const auto input = parsed(R"({"sample":{},"init_data_claims":{"agent_policy_claims":{"containers":[
    {"OCI":{"Annotations":{"io.kubernetes.cri.image-name":"reg/a:1"},"Process":{"User":{"UID":65534}}}},
    {"OCI":{"Process":{"User":{"UID":0}}}}]}}})");
  const auto extensions = evaluate("default_cpu", "extensions", input, json::Object{});
  EXPECT_EQ(extensions, parsed(R"([{"name":"ear.trustee.identifiers","key":-18,"value":{"validated":
    {"container_images":["reg/a:1"],"container_uids":[65534,0]}}}])"));
  EXPECT_EQ(evaluate("default_cpu", "extensions", sample, json::Object{}),
            parsed(R"([{"name":"ear.trustee.identifiers","key":-18,"value":{"validated":{}}}])"));
}

// ---- devices

const auto gpu = parsed(R"({"nvidia":{"secboot":true,"dbgstat":"disabled","measres":"success",
  "x-nvidia-gpu-attestation-report-cert-chain":{"x-nvidia-cert-ocsp-status":"good","x-nvidia-cert-status":"valid"},
  "x-nvidia-gpu-attestation-report-cert-chain-fwid-match":true,"x-nvidia-gpu-attestation-report-parsed":true,
  "x-nvidia-gpu-attestation-report-signature-verified":true,"x-nvidia-gpu-arch-check":true,
  "x-nvidia-gpu-vbios-version":"96","x-nvidia-gpu-driver-version":"570",
  "x-nvidia-gpu-vbios-rim-cert-chain":{"x-nvidia-cert-ocsp-status":"good","x-nvidia-cert-status":"valid"},
  "x-nvidia-gpu-driver-rim-fetched":true,"x-nvidia-gpu-driver-rim-measurements-available":true,
  "x-nvidia-gpu-driver-rim-schema-validated":true,"x-nvidia-gpu-driver-rim-signature-verified":true,
  "x-nvidia-gpu-driver-rim-version-match":true,"x-nvidia-gpu-vbios-rim-fetched":true,
  "x-nvidia-gpu-vbios-rim-measurements-available":true,"x-nvidia-gpu-vbios-rim-schema-validated":true,
  "x-nvidia-gpu-vbios-rim-signature-verified":true,"x-nvidia-gpu-vbios-rim-version-match":true}})");
const auto gpu_references = parsed(R"({"allowed_vbios_versions":["96"],"allowed_driver_versions":["570"]})");

TEST(DefaultGpuPolicy, a_gpu_of_named_versions_is_affirmed_and_of_others_less) {
  EXPECT_EQ(appraise("default_gpu", gpu, gpu_references), (Vector{3, 2, 2}));
  EXPECT_EQ(appraise("default_gpu", gpu, json::Object{}), (Vector{3, 2, 3}));
}

TEST(DefaultGpuPolicy, each_claim_counts) {
  for (const auto& [name, value] : *gpu.find("nvidia")->if_object()) {
    EXPECT_NE(appraise("default_gpu", with(gpu, {"nvidia", name}, false), gpu_references), (Vector{3, 2, 2})) << name;
  }
  for (const auto chain : {"x-nvidia-gpu-attestation-report-cert-chain", "x-nvidia-gpu-vbios-rim-cert-chain"}) {
    for (const auto status : {"x-nvidia-cert-ocsp-status", "x-nvidia-cert-status"}) {
      EXPECT_NE(appraise("default_gpu", with(gpu, {"nvidia", chain, status}, "revoked"), gpu_references),
                (Vector{3, 2, 2}));
    }
  }
}

TEST(DefaultGpuPolicy, the_sample_device_and_a_locally_verified_gpu_stay_contraindicated) {
  EXPECT_EQ(appraise("default_gpu", parsed(R"({"sampledevice":{"svn":"2"}})"), json::Object{}), contraindicated);
  EXPECT_EQ(appraise("default_gpu", parsed(R"({"nvidia":{"arch":"HOPPER","measurements":{}}})"), json::Object{}),
            contraindicated);
}

const auto local_gpu = parsed(R"({"nvidia":{"arch":"Hopper","uuid":"u","measurements":{"1":"00","2":"aa","3":"bb"},
  "config":{"driver_version":"550.90.07","vbios_version":"96.00.9f.00.01","fwid":"f5"}}})");
const auto local_references = parsed(R"({"allowed_gpu_fwids":["f4","f5"],"allowed_driver_versions":["550.90.07"],
  "allowed_vbios_versions":["96.00.9f.00.01"],"allowed_gpu_measurements":{"2":"aa","3":["cc","bb"]}})");

TEST(DefaultGpuPolicy, a_locally_verified_gpu_is_affirmed_by_the_owners_reference_values) {
  EXPECT_EQ(appraise("default_gpu", local_gpu, local_references), (Vector{3, 2, 2}));
}

TEST(DefaultGpuPolicy, each_local_claim_and_each_reference_value_counts) {
  for (const auto* claim : {"driver_version", "vbios_version", "fwid"}) {
    EXPECT_NE(appraise("default_gpu", with(local_gpu, {"nvidia", "config", claim}, "x"), local_references),
              (Vector{3, 2, 2}))
        << claim;
  }
  for (const auto* index : {"2", "3"}) {
    EXPECT_EQ(appraise("default_gpu", with(local_gpu, {"nvidia", "measurements", index}, "dd"), local_references),
              (Vector{33, 2, 2}))
        << index;
  }
  EXPECT_EQ(appraise("default_gpu", with(local_gpu, {"nvidia", "measurements", "1"}, "dd"), local_references),
            (Vector{3, 2, 2}))
      << "an index that nobody named";
  EXPECT_EQ(
      appraise("default_gpu", with(local_gpu, {"nvidia", "measurements"}, json::Object{{"2", "aa"}}), local_references),
      (Vector{33, 2, 2}))
      << "a named index that the report lacks";
  for (const auto& [name, value] : *local_references.if_object()) {
    auto others = *local_references.if_object();
    others.erase(name);
    EXPECT_NE(appraise("default_gpu", local_gpu, others), (Vector{3, 2, 2})) << name;
    others.set(name, json::Array{});
    EXPECT_NE(appraise("default_gpu", local_gpu, others), (Vector{3, 2, 2})) << "an empty " << name;
  }
}

TEST(DefaultSwitchPolicy, a_switch_of_a_named_bios_is_affirmed_and_each_claim_counts) {
  const auto input = parsed(R"({"nvidia":{"secboot":true,"dbgstat":"disabled","measres":"success",
    "x-nvidia-switch-attestation-report-cert-chain":{"x-nvidia-cert-ocsp-status":"good","x-nvidia-cert-status":"valid"},
    "x-nvidia-switch-attestation-report-cert-chain-fwid-match":true,"x-nvidia-switch-attestation-report-parsed":true,
    "x-nvidia-switch-attestation-report-signature-verified":true,"x-nvidia-switch-arch-check":true,
    "x-nvidia-switch-bios-version":"b","x-nvidia-switch-bios-rim-cert-chain":
    {"x-nvidia-cert-ocsp-status":"good","x-nvidia-cert-status":"valid"},"x-nvidia-switch-bios-rim-fetched":true,
    "x-nvidia-switch-bios-rim-measurements-available":true,"x-nvidia-switch-bios-rim-schema-validated":true,
    "x-nvidia-switch-bios-rim-signature-verified":true,"x-nvidia-switch-bios-rim-version-match":true}})");
  const auto references = parsed(R"({"allowed_switch_bios_versions":["b"]})");
  EXPECT_EQ(appraise("default_switch", input, references), (Vector{3, 2, 2}));
  EXPECT_EQ(appraise("default_switch", input, json::Object{}), (Vector{3, 2, 3}));
  for (const auto& [name, value] : *input.find("nvidia")->if_object()) {
    EXPECT_NE(appraise("default_switch", with(input, {"nvidia", name}, false), references), (Vector{3, 2, 2})) << name;
  }
}

TEST(DefaultPpciePolicy, a_topology_affirms_its_configuration_alone) {
  EXPECT_EQ(appraise("default_ppcie", json::Object{}, json::Object{}), (Vector{0, 0, 2}));
}

}  // namespace
}  // namespace coffer::appraisal
