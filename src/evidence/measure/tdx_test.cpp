#include "evidence/measure/tdx.h"

#include <gtest/gtest.h>

#include "codec/base64.h"
#include "crypto/hash.h"
#include "evidence/measure/linux_boot_testing.h"
#include "evidence/measure/ovmf_testing.h"

namespace coffer::evidence::measure {
namespace {

// Two pages of code that are measured, one page of memory that is not, and one that is added after the launch.
Bytes firmware() {
  return OvmfBuilder{8192}
      .descriptor(
          tdx_metadata_guid,
          tdx_metadata({{0, 8192, 0xffffe000, 8192, 0, 1}, {0, 0, 0x809000, 4096, 3, 0}, {0, 0, 0x100000, 4096, 4, 2}}))
      .build();
}

Bytes operation(std::string_view name, std::uint64_t address) {
  return ByteWriter{}.bytes(as_bytes(name)).zeros(16 - name.size()).u64_le(address).zeros(104).take();
}

Bytes extension(const Bytes& image, std::uint64_t offset) {
  ByteWriter out;
  for (std::uint64_t chunk = offset; chunk < offset + 4096; chunk += 256) {
    out.bytes(operation("MR.EXTEND", 0xffffe000 + chunk)).bytes(ByteView{image}.subspan(chunk, 256));
  }
  return out.take();
}

TEST(Mrtd, is_the_hash_of_what_the_module_is_asked_to_do) {
  const auto image = firmware();
  const auto add = [](std::uint64_t address) { return operation("MEM.PAGE.ADD", address); };
  const auto page_by_page =
      concat({add(0xffffe000), extension(image, 0), add(0xfffff000), extension(image, 4096), add(0x809000)});
  const auto two_passes =
      concat({add(0xffffe000), add(0xfffff000), extension(image, 0), extension(image, 4096), add(0x809000)});
  EXPECT_EQ(tdx_mrtd(image).value_or(Bytes{}), crypto::sha384(page_by_page));
  EXPECT_EQ(tdx_mrtd(image, TdxPageOrder::two_passes).value_or(Bytes{}), crypto::sha384(two_passes));
}

TEST(Mrtd, memory_behind_the_data_is_zero) {
  const auto image =
      OvmfBuilder{4096}.descriptor(tdx_metadata_guid, tdx_metadata({{0, 10, 0x1000, 4096, 0, 1}})).build();
  auto page = Bytes(4096);
  std::copy_n(image.begin(), 10, page.begin());
  ByteWriter expected;
  expected.bytes(operation("MEM.PAGE.ADD", 0x1000));
  for (std::uint64_t chunk = 0; chunk < 4096; chunk += 256) {
    expected.bytes(operation("MR.EXTEND", 0x1000 + chunk)).bytes(ByteView{page}.subspan(chunk, 256));
  }
  EXPECT_EQ(tdx_mrtd(image).value_or(Bytes{}), crypto::sha384(expected.view()));
}

TEST(Mrtd, firmware_without_tdx_metadata_is_refused) {
  const auto result = tdx_mrtd(OvmfBuilder{}.build());
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode{MeasureError::bad_firmware});
}

// Digests of what every boot logs, as in the recorded CCEL of OVMF (vectors/eventlog/CCEL_data_ovmf).
TEST(TdxBoot, logs_what_recorded_boots_log) {
  const auto kernel = kernel_for_tests();
  const auto initrd = to_bytes("initrd");
  const auto boot = predict_tdx_boot({.kernel = kernel, .initrd = initrd, .command_line = "quiet"});
  ASSERT_TRUE(boot) << to_string(boot.error());
  std::vector<std::uint32_t> order;
  for (const auto& event : boot->events) order.push_back(event.index);
  EXPECT_EQ(order, (std::vector<std::uint32_t>{2, 2, 3, 3, 2, 2}));
  EXPECT_TRUE(codec::hex_encode(boot->events[1].digest).starts_with("77a0dab2312b4e1e57a84d86"));
  EXPECT_TRUE(codec::hex_encode(boot->events[4].digest).starts_with("214b0bef1379756011344877"));
  EXPECT_TRUE(codec::hex_encode(boot->events[5].digest).starts_with("0a2e01c85deae718a530ad8c"));
}

TEST(TdxBoot, registers_are_what_the_events_lead_to) {
  const auto kernel = kernel_for_tests();
  const auto initrd = to_bytes("initrd");
  const auto boot = predict_tdx_boot({.kernel = kernel, .initrd = initrd, .command_line = "quiet"});
  ASSERT_TRUE(boot);
  const auto replay = [&](std::uint32_t index, const Bytes& before_exit) {
    Bytes value(48);
    std::size_t seen = 0;
    for (const auto& event : boot->events) {
      if (event.index != index) continue;
      if (++seen == 3 && !before_exit.empty()) value = crypto::sha384(concat({value, before_exit}));
      value = crypto::sha384(concat({value, event.digest}));
    }
    return value;
  };
  ASSERT_EQ(boot->rtmr1.size(), 2U);
  EXPECT_EQ(boot->rtmr1[0], replay(2, {}));
  EXPECT_EQ(boot->rtmr1[1], replay(2, crypto::sha384(Bytes(4))));
  EXPECT_EQ(boot->rtmr2, replay(3, {}));
}

TEST(TdxBoot, a_changed_argument_changes_rtmr2_alone) {
  const auto kernel = kernel_for_tests();
  const auto one = predict_tdx_boot({.kernel = kernel, .command_line = "quiet"});
  const auto other = predict_tdx_boot({.kernel = kernel, .command_line = "debug"});
  ASSERT_TRUE(one && other);
  EXPECT_EQ(one->rtmr1, other->rtmr1);
  EXPECT_NE(one->rtmr2, other->rtmr2);
}

}  // namespace
}  // namespace coffer::evidence::measure
