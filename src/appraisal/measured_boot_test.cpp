#include "appraisal/detail/measured_boot.h"

#include <gtest/gtest.h>

namespace coffer::appraisal {
namespace {

namespace json = codec::json;
using evidence::TeeKind;

json::Value event(int index, std::string_view type, std::string_view digest, std::string_view text = "") {
  return json::Object{{"index", index},
                      {"type_name", type},
                      {"details", json::Object{{"string", text}}},
                      {"digests", json::Array{json::Object{{"alg", "SHA-256"}, {"digest", digest}}}}};
}

json::Value expected(int index, std::string_view type, std::string_view digest, std::string_view text) {
  return json::Object{{"index", index}, {"type_name", type}, {"digest", digest}, {"description", text}};
}

// A kernel in PCR 4, command line and initrd in PCR 9, and firmware of which nothing is expected.
struct Boot {
  json::Array events{event(0, "EV_S_CRTM_VERSION", "00"), event(4, "EV_EFI_BOOT_SERVICES_APPLICATION", "44"),
                     event(9, "EV_EVENT_TAG", "91", "LOADED_IMAGE::LoadOptions"),
                     event(9, "EV_EVENT_TAG", "92", "Linux initrd")};
  std::optional<json::Value> reference{json::Array{expected(4, "EV_EFI_BOOT_SERVICES_APPLICATION", "44", "kernel"),
                                                   expected(9, "EV_EVENT_TAG", "91", "kernel command line \"quiet\""),
                                                   expected(9, "EV_EVENT_TAG", "92", "initrd")}};
  TeeKind tee = TeeKind::tpm;

  std::vector<policy::Condition> explain() const {
    const json::Object annotated{{"tpm", json::Object{{"uefi_event_logs", events}}}};
    const auto conditions = detail::measured_boot_conditions(
        tee, annotated, [this](const std::string& id) -> Result<std::optional<json::Value>> {
          return id == "tpm_events" ? reference : std::nullopt;
        });
    EXPECT_TRUE(conditions) << to_string(conditions.error());
    return conditions.value_or(std::vector<policy::Condition>{});
  }
};

TEST(MeasuredBoot, a_boot_as_predicted_has_nothing_to_explain) {
  EXPECT_TRUE(Boot{}.explain().empty());
}

TEST(MeasuredBoot, a_changed_command_line_is_named_with_register_event_and_both_digests) {
  Boot boot;
  boot.events[2] = event(9, "EV_EVENT_TAG", "ff", "LOADED_IMAGE::LoadOptions");
  const auto conditions = boot.explain();
  ASSERT_EQ(conditions.size(), 1U);
  EXPECT_NE(conditions[0].text.find("PCR 9, event 0: expected kernel command line"), std::string::npos)
      << conditions[0].text;
  EXPECT_EQ(conditions[0].claim, "input.tpm.uefi_event_logs");
  EXPECT_EQ(*conditions[0].expected->find("digest"), json::Value("91"));
  EXPECT_EQ(*conditions[0].actual->find("digest"), json::Value("ff"));
  EXPECT_FALSE(conditions[0].held);
}

TEST(MeasuredBoot, each_register_that_differs_is_named) {
  Boot boot;
  boot.events[1] = event(4, "EV_EFI_BOOT_SERVICES_APPLICATION", "45");
  boot.events[3] = event(9, "EV_EVENT_TAG", "93", "Linux initrd");
  const auto conditions = boot.explain();
  ASSERT_EQ(conditions.size(), 2U);
  EXPECT_NE(conditions[0].text.find("PCR 4, event 0"), std::string::npos);
  EXPECT_NE(conditions[1].text.find("PCR 9, event 1: expected initrd"), std::string::npos);
}

TEST(MeasuredBoot, a_log_that_ends_early_lacks_an_event) {
  Boot boot;
  boot.events.pop_back();
  const auto conditions = boot.explain();
  ASSERT_EQ(conditions.size(), 1U);
  EXPECT_EQ(*conditions[0].actual, json::Value("no further event"));
}

TEST(MeasuredBoot, registers_of_which_nothing_is_expected_are_not_compared) {
  Boot boot;
  boot.events[0] = event(0, "EV_S_CRTM_VERSION", "01");
  EXPECT_TRUE(boot.explain().empty());
}

// The known machine, and another that differs in kernel, command line and initrd.
json::Array two_machines() {
  return {json::Array{expected(4, "EV_EFI_BOOT_SERVICES_APPLICATION", "d4", "other kernel"),
                      expected(9, "EV_EVENT_TAG", "d1", "other command line"),
                      expected(9, "EV_EVENT_TAG", "d2", "other initrd")},
          *Boot{}.reference};
}

TEST(MeasuredBoot, any_of_several_machines_may_be_the_one) {
  Boot boot;
  boot.reference = two_machines();
  EXPECT_TRUE(boot.explain().empty());
  boot.events = {event(4, "EV_EFI_BOOT_SERVICES_APPLICATION", "d4"), event(9, "EV_EVENT_TAG", "d1"),
                 event(9, "EV_EVENT_TAG", "d2")};
  EXPECT_TRUE(boot.explain().empty());
}

TEST(MeasuredBoot, of_several_machines_the_nearest_explains) {
  Boot boot;
  boot.reference = two_machines();
  boot.events[3] = event(9, "EV_EVENT_TAG", "ff", "Linux initrd");
  const auto conditions = boot.explain();
  ASSERT_EQ(conditions.size(), 1U);
  EXPECT_NE(conditions[0].text.find("of the 2 machines known, the nearest: PCR 9, event 1: expected initrd"),
            std::string::npos)
      << conditions[0].text;
  // As many registers differ; more events agree with the first machine.
  boot.events = {event(4, "EV_EFI_BOOT_SERVICES_APPLICATION", "00"), event(9, "EV_EVENT_TAG", "d1"),
                 event(9, "EV_EVENT_TAG", "00")};
  ASSERT_EQ(boot.explain().size(), 2U);
  EXPECT_NE(boot.explain()[1].text.find("expected other initrd"), std::string::npos);
}

TEST(MeasuredBoot, a_machine_that_is_not_in_the_form_is_passed_over) {
  Boot boot;
  auto machines = two_machines();
  machines.emplace_back("text");
  machines.emplace_back(json::Array{});
  boot.reference = machines;
  EXPECT_TRUE(boot.explain().empty());
}

TEST(MeasuredBoot, without_a_prediction_there_is_nothing_to_compare) {
  Boot boot;
  boot.events[2] = event(9, "EV_EVENT_TAG", "ff");
  for (const auto& reference : {std::optional<json::Value>{}, std::optional{json::Value("text")},
                                std::optional{json::Value(json::Array{json::Object{{"index", "nine"}}})}}) {
    boot.reference = reference;
    EXPECT_TRUE(boot.explain().empty());
  }
}

TEST(MeasuredBoot, events_of_other_tees_are_not_compared) {
  Boot boot;
  boot.events[2] = event(9, "EV_EVENT_TAG", "ff");
  boot.tee = TeeKind::snp;
  EXPECT_TRUE(boot.explain().empty());
}

}  // namespace
}  // namespace coffer::appraisal
