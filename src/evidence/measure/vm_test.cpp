#include "evidence/measure/vm.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "codec/base64.h"
#include "evidence/eventlog/writer.h"
#include "evidence/measure/error.h"
#include "evidence/measure/linux_boot_testing.h"
#include "evidence/measure/pe.h"

namespace coffer::evidence::measure {
namespace {

struct Machine {
  Bytes kernel = kernel_for_tests();
  Bytes initrd = to_bytes("initrd");
  std::string command_line = "console=ttyS0";

  VmPrediction predict() const {
    const auto result = predict_vm({.kernel = kernel, .initrd = initrd, .command_line = command_line});
    EXPECT_TRUE(result) << to_string(result.error());
    return result.value_or(VmPrediction{crypto::HashAlgorithm::sha256, {}, {}});
  }
};

// Registers whose value differs.
std::vector<std::uint32_t> changed(const VmPrediction& a, const VmPrediction& b) {
  std::vector<std::uint32_t> out;
  for (const auto& [index, value] : a.registers) {
    if (b.registers.at(index) != value) out.push_back(index);
  }
  return out;
}

TEST(PredictVm, init_data_leads_pcr_8_and_nothing_else) {
  const Machine machine;
  const auto digest = crypto::sha256(as_bytes("init-data"));
  const VmBoot boot{.kernel = machine.kernel, .initrd = machine.initrd, .command_line = machine.command_line};
  auto with_init_data = boot;
  with_init_data.init_data_digest = digest;
  const auto prediction = predict_vm(with_init_data);
  ASSERT_TRUE(prediction) << to_string(prediction.error());
  EXPECT_EQ(prediction->registers.at(8), crypto::sha256(concat({Bytes(32), digest})));
  EXPECT_FALSE(machine.predict().registers.contains(8));
  EXPECT_EQ(prediction->events.size(), machine.predict().events.size());
  with_init_data.init_data_digest.resize(20);
  EXPECT_EQ(predict_vm(with_init_data).error().code, MeasureError::bad_machine);
}

TEST(PredictVm, registers_are_what_their_events_lead_to) {
  const auto prediction = Machine{}.predict();
  eventlog::LogWriter writer{{crypto::HashAlgorithm::sha256}};
  for (const auto& event : prediction.events) {
    const std::vector<eventlog::OwnedDigest> digests{{crypto::HashAlgorithm::sha256, event.digest}};
    writer.add_digests(event.index, event.type, {}, digests);
  }
  const auto log = eventlog::EventLog::parse(writer.log());
  ASSERT_TRUE(log) << to_string(log.error());
  EXPECT_EQ(prediction.registers.size(), 7U);
  for (const auto& [index, value] : prediction.registers) {
    EXPECT_EQ(log->replay(index, crypto::HashAlgorithm::sha256).value_or(Bytes{}), value) << index;
  }
}

// Read from a boot of OVMF 2022.11 under QEMU 7.2: independent of kernel, command line and initrd.
TEST(PredictVm, what_firmware_leaves_in_every_boot_is_as_recorded) {
  const auto prediction = Machine{}.predict();
  constexpr auto separator_alone = "3d458cfe55cc03ea1f443f1562beec8df51c75e14a9fcf9a7234a13f198e7969";
  for (const std::uint32_t index : {2U, 3U, 6U}) {
    EXPECT_EQ(codec::hex_encode(prediction.registers.at(index)), separator_alone);
  }
  EXPECT_EQ(codec::hex_encode(prediction.registers.at(5)),
            "a5ceb755d043f32431d63e39f5161464620a3437280494b5850dc1b47cc074e0");
  EXPECT_EQ(codec::hex_encode(prediction.registers.at(7)),
            "65caf8dd1e0ea7a6347b635d2b379c93b9a1351edc2afc3ecda700e534eb3068");
}

// The same boot: "console=ttyS0 quiet" and an initrd whose digest was 6a21678d...
TEST(PredictVm, the_command_line_has_the_recorded_digest) {
  Machine machine;
  machine.command_line = "console=ttyS0 quiet";
  const auto prediction = machine.predict();
  const auto event = std::ranges::find(prediction.events, 9U, &PredictedEvent::index);
  ASSERT_NE(event, prediction.events.end());
  EXPECT_EQ(codec::hex_encode(event->digest), "6791447f65301cd17d9cda83bad8f4aa38f69a3257c2ba8315262e9325c78e6d");
  EXPECT_EQ(event->description, "kernel command line \"console=ttyS0 quiet\"");
}

TEST(PredictVm, one_changed_argument_changes_pcr_9_alone) {
  Machine other;
  other.command_line += " debug";
  EXPECT_EQ(changed(Machine{}.predict(), other.predict()), (std::vector<std::uint32_t>{9}));
}

TEST(PredictVm, one_changed_initrd_byte_changes_pcr_9_alone) {
  Machine other;
  other.initrd[0] ^= std::byte{1};
  EXPECT_EQ(changed(Machine{}.predict(), other.predict()), (std::vector<std::uint32_t>{9}));
}

TEST(PredictVm, another_kernel_changes_pcr_4_alone) {
  Machine other;
  other.kernel[700] ^= std::byte{1};
  EXPECT_EQ(changed(Machine{}.predict(), other.predict()), (std::vector<std::uint32_t>{4}));
}

// The initrd's place is written into the kernel's header.
TEST(PredictVm, an_initrd_of_another_size_changes_the_kernel_too) {
  Machine other;
  other.initrd.resize(10000);
  EXPECT_EQ(changed(Machine{}.predict(), other.predict()), (std::vector<std::uint32_t>{4, 9}));
}

TEST(PredictVm, without_an_initrd_there_is_one_event_less) {
  Machine other;
  other.initrd.clear();
  EXPECT_EQ(other.predict().events.size() + 1, Machine{}.predict().events.size());
}

TEST(PredictVm, a_kernel_that_firmware_cannot_start_is_refused) {
  Machine machine;
  machine.kernel[0] = std::byte{0};
  const auto result = predict_vm({.kernel = machine.kernel});
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode{MeasureError::bad_pe});
}

TEST(ReferenceValuesOfVm, are_lists_by_register_and_the_events) {
  const auto values = reference_values(Machine{}.predict());
  for (const auto* name : {"tpm_pcr02", "tpm_pcr03", "tpm_pcr04", "tpm_pcr05", "tpm_pcr06", "tpm_pcr07", "tpm_pcr09"}) {
    const auto* value = values.find(name);
    ASSERT_TRUE(value != nullptr && value->if_array() != nullptr) << name;
    EXPECT_EQ(value->if_array()->size(), 1U);
  }
  const auto& events = *values.find("tpm_events")->if_array();
  EXPECT_EQ(events.size(), Machine{}.predict().events.size());
  EXPECT_EQ(*events.front().find("type_name"), codec::json::Value("EV_EFI_BOOT_SERVICES_APPLICATION"));
}

TEST(MeasureError, codes_are_named) {
  EXPECT_EQ(code_name(MeasureError::bad_firmware), "measure.bad_firmware");
  EXPECT_EQ(code_name(MeasureError::bad_eif), "measure.bad_eif");
}

}  // namespace
}  // namespace coffer::evidence::measure
