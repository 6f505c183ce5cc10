#include "evidence/measure/linux_boot.h"

#include <gtest/gtest.h>

#include "codec/base64.h"
#include "evidence/measure/linux_boot_testing.h"

namespace coffer::evidence::measure {
namespace {

constexpr std::uint64_t gib = 1U << 30;

std::uint32_t field(const Bytes& kernel, std::size_t offset) {
  ByteReader reader{ByteView{kernel}.subspan(offset)};
  return reader.u32_le("field").value_or(0);
}

Bytes loaded(const LinuxMachine& machine, std::uint16_t protocol = 0x20f) {
  const auto result = kernel_as_loaded(kernel_for_tests(protocol), machine);
  EXPECT_TRUE(result) << to_string(result.error());
  return result.value_or(Bytes{});
}

template <class T>
void expect_refused(const Result<T>& result, MeasureError code, std::string_view text) {
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode{code});
  EXPECT_NE(result.error().message.find(text), std::string::npos) << result.error().message;
}

TEST(LinuxBoot, the_loader_fills_its_fields_and_no_others) {
  const auto before = kernel_for_tests();
  const auto after = loaded({.memory = gib, .initrd_size = 0x1234});
  EXPECT_EQ(after[0x210], std::byte{0xb0});
  EXPECT_EQ(after[0x211], std::byte{0x81});
  EXPECT_EQ(field(after, 0x228), 0x20000U);
  EXPECT_EQ(field(after, 0x224) & 0xffffU, 0xfe00U);
  EXPECT_EQ(field(after, 0x21c), 0x1234U);
  for (std::size_t i = 0; i < before.size(); ++i) {
    const bool filled = i == 0x210 || i == 0x211 || (i >= 0x218 && i < 0x220) || (i >= 0x224 && i < 0x22c);
    if (!filled) EXPECT_EQ(before[i], after[i]) << i;
  }
}

// As recorded from a boot with 1 GiB: 2417712 bytes end below the ACPI tables.
TEST(LinuxBoot, the_initrd_lies_at_the_end_of_low_memory) {
  EXPECT_EQ(field(loaded({.memory = gib, .initrd_size = 2417712}), 0x218), 0x3fd89000U);
  EXPECT_EQ(field(loaded({.memory = 2 * gib, .initrd_size = 4096}), 0x218), 0x7ffd6000U);
  EXPECT_EQ(field(loaded({.memory = 4 * gib, .initrd_size = 4096}), 0x218), 0x7ffd6000U);
}

TEST(LinuxBoot, without_an_initrd_its_fields_stay_as_they_were) {
  EXPECT_EQ(field(loaded({.memory = gib}), 0x218), field(kernel_for_tests(), 0x218));
}

TEST(LinuxBoot, a_kernel_that_cannot_reach_high_memory_bounds_the_initrd) {
  auto kernel = kernel_for_tests();
  kernel[0x236] = std::byte{0};
  kernel[0x22f] = std::byte{0x0f};
  const auto result = kernel_as_loaded(kernel, {.memory = gib, .initrd_size = 4096});
  ASSERT_TRUE(result);
  EXPECT_EQ(field(*result, 0x218), 0x0fffe000U);
}

TEST(LinuxBoot, what_is_no_kernel_is_refused) {
  const LinuxMachine machine{.memory = gib};
  expect_refused(kernel_as_loaded({}, machine), MeasureError::bad_kernel, "bzImage");
  auto kernel = kernel_for_tests();
  kernel[0x202] = std::byte{'h'};
  expect_refused(kernel_as_loaded(kernel, machine), MeasureError::bad_kernel, "bzImage");
  expect_refused(kernel_as_loaded(kernel_for_tests(0x20b), machine), MeasureError::bad_kernel, "has 2.11");
  kernel = kernel_for_tests();
  kernel[0x211] = std::byte{0};
  expect_refused(kernel_as_loaded(kernel, machine), MeasureError::bad_kernel, "loaded high");
}

TEST(LinuxBoot, a_machine_without_room_is_refused) {
  expect_refused(kernel_as_loaded(kernel_for_tests(), {.memory = 1 << 20}), MeasureError::bad_machine, "64 MiB");
  expect_refused(kernel_as_loaded(kernel_for_tests(), {.memory = gib, .initrd_size = gib}), MeasureError::bad_machine,
                 "does not fit");
}

TEST(LoadOptions, are_utf16_with_the_initrd_and_an_end) {
  EXPECT_EQ(codec::hex_encode(load_options("ab", false).value_or(Bytes{})), "610062000000");
  const auto with = load_options("a", true).value_or(Bytes{});
  EXPECT_EQ(with.size(), 2 * (std::string_view{"a initrd=initrd"}.size() + 1));
}

TEST(LoadOptions, text_that_no_kernel_takes_is_refused) {
  expect_refused(load_options("a\nb", false), MeasureError::bad_command_line, "printable");
  expect_refused(load_options(std::string(2048, 'a'), false), MeasureError::bad_command_line, "2047");
  expect_refused(load_options("\xc3\xa9", false), MeasureError::bad_command_line, "ASCII");
}

}  // namespace
}  // namespace coffer::evidence::measure
