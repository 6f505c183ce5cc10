#include "evidence/measure/snp.h"

#include <gtest/gtest.h>

#include "codec/base64.h"
#include "crypto/hash.h"
#include "evidence/measure/ovmf_testing.h"

namespace coffer::evidence::measure {
namespace {

// The tables of an OVMF built from OvmfPkg/AmdSev, and of one from OvmfPkg/OvmfPkgX64, as sev-snp-measure's tests have
// them; the digests of their pages are given, so that its published digests can be reached without the images.
const std::vector<SevRow> amd_sev_rows{{0x800000, 0x9000, 1}, {0x80a000, 0x3000, 1}, {0x80d000, 0x1000, 2},
                                       {0x80e000, 0x1000, 3}, {0x80f000, 0x1000, 4}, {0x810000, 0x1000, 0x10},
                                       {0x811000, 0xf000, 1}};
const std::vector<SevRow> x64_rows{{0x800000, 0x9000, 1}, {0x80a000, 0x3000, 1}, {0x80d000, 0x1000, 2},
                                   {0x80e000, 0x1000, 3}, {0x80f000, 0x1000, 4}, {0x810000, 0x10000, 1}};
constexpr auto amd_sev_digest =
    "086e2e9149ebf45abdc3445fba5b2da8270bdbb04094d7a2c37faaa4b24af3aa16aff8c374c2a55c467a50da6d466b74";
constexpr auto x64_digest =
    "b91e6fec73d2bcc57ad5fd400a426ce02731c22ea92bc894ce675e7c9921a822977d6cf025b85f8ef4f264bff8839d20";

Bytes image(const std::vector<SevRow>& rows, bool with_addresses = true) {
  OvmfBuilder builder;
  if (with_addresses) {
    builder.entry(hash_table_guid, ByteWriter{}.u32_le(0x810c00).u32_le(0x400).take());
    builder.entry(reset_block_guid, ByteWriter{}.u32_le(0x80b004).take());
  }
  return builder.descriptor(sev_metadata_guid, sev_metadata(rows)).build();
}

struct Launch {
  Bytes firmware = image(amd_sev_rows);
  std::string digest = amd_sev_digest;
  bool kernel = true;  // an empty one, as the published digests have
  std::string command_line{};
  std::string cpu_type = "EPYC-v4";
  unsigned cpus = 1;
  std::uint64_t features = 0x21;

  Result<Bytes> measure() const {
    SnpLaunch launch{.firmware = firmware,
                     .command_line = command_line,
                     .cpu_type = cpu_type,
                     .cpus = cpus,
                     .guest_features = features};
    if (!digest.empty()) launch.firmware_digest = TRY(codec::hex_decode(digest));
    if (kernel) launch.kernel = ByteView{};
    return snp_launch_digest(launch);
  }
  std::string hex() const {
    const auto result = measure();
    EXPECT_TRUE(result) << to_string(result.error());
    return result ? codec::hex_encode(*result) : "";
  }
};

void expect_refused(const Launch& launch, MeasureError code, std::string_view text) {
  const auto result = launch.measure();
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode{code});
  EXPECT_NE(result.error().message.find(text), std::string::npos) << result.error().message;
}

TEST(SnpLaunchDigest, published_digests_are_reached) {
  EXPECT_EQ(Launch{}.hex(),
            "329c8ce0972ae52343b64d34a434a86f245dfd74f5ed7aae15d22efc78fb9683632b9b50e4e1d7fa41179ef98a7ef198");
  EXPECT_EQ(Launch{.features = 1}.hex(),
            "ddc5224521617a536ee7ce9dd6224d1b58a8d4fda1c741f3ac99fc4bfa04ba6e9fc98646d4a07a9079397fa3852819b5");
  EXPECT_EQ(Launch{.command_line = "console=ttyS0 loglevel=7"}.hex(),
            "803f691094946e42068aaa3a8f9e26a5c89f36f7b73ecfb28c653360fe4b3aba7e534442e7e1e17895dfe778d0228977");
  EXPECT_EQ((Launch{.command_line = "console=ttyS0 loglevel=7", .features = 1}.hex()),
            "6d287813eb5222d770f75005c664e34c204f385ce832cc2ce7d0d6f354454362f390ef83a92046c042e706363b4b08fa");
  EXPECT_EQ(Launch{.kernel = false}.hex(),
            "e1e1ca029dd7973ab9513295be68198472dcd4fc834bd9af9b63f6e8a1674dbf281a9278a4a2ebe0eed9f22adbcd0e2b");
}

TEST(SnpLaunchDigest, published_digests_of_several_processors_are_reached) {
  EXPECT_EQ(Launch{.cpus = 4}.hex(),
            "4953b1fb416fa874980e8442b3706d345926d5f38879134e00813c5d7abcbe78eafe7b422907be0b4698e2414a631942");
  EXPECT_EQ((Launch{.cpus = 4, .features = 1}.hex()),
            "5061fffb019493a903613d56d54b94912a1a2f9e4502385f5c194616753720a92441310ba6c4933de877c36e23046ad5");
}

TEST(SnpLaunchDigest, published_digests_of_another_firmware_are_reached) {
  const Launch launch{.firmware = image(x64_rows), .digest = x64_digest, .kernel = false};
  EXPECT_EQ(launch.hex(),
            "28797ae0afaba4005a81e629acebfb59e6687949d6be44007cd5506823b0dd66f146aaae26ff291eed7b493d8a64c385");
  expect_refused({.firmware = image(x64_rows), .digest = x64_digest}, MeasureError::bad_firmware,
                 "no place for a kernel");
}

// The first page's PAGE_INFO, written out.
TEST(SnpFirmwareDigest, is_a_chain_over_pages_below_4_gib) {
  const Bytes firmware(4096, std::byte{7});
  const auto info =
      ByteWriter{}.zeros(48).bytes(crypto::sha384(firmware)).u16_le(0x70).u8(1).zeros(5).u64_le(0xfffff000).take();
  EXPECT_EQ(snp_firmware_digest(firmware).value_or(Bytes{}), crypto::sha384(info));
}

TEST(SnpLaunchDigest, each_part_counts) {
  const auto base = Launch{.cpus = 2}.hex();
  EXPECT_NE((Launch{.cpu_type = "EPYC-Milan", .cpus = 2}.hex()), base);
  EXPECT_NE(Launch{.cpus = 3}.hex(), base);
  EXPECT_NE((Launch{.digest = "", .cpus = 2}.hex()), base);
  EXPECT_NE((Launch{.kernel = false, .cpus = 2}.hex()), base);
}

TEST(SnpLaunchDigest, versions_of_a_processor_type_are_the_same) {
  EXPECT_EQ(Launch{.cpu_type = "EPYC-Milan-v2"}.hex(), Launch{.cpu_type = "EPYC-Milan"}.hex());
  EXPECT_EQ(snp_cpu_types().size(), 6U);
}

TEST(SnpLaunchDigest, machines_that_do_not_exist_are_refused) {
  expect_refused({.cpu_type = "EPYC-v"}, MeasureError::bad_machine, "not known");
  expect_refused({.cpu_type = "Opteron"}, MeasureError::bad_machine, "Opteron");
  expect_refused({.cpus = 0}, MeasureError::bad_machine, "from 1");
  expect_refused({.cpus = 1025}, MeasureError::bad_machine, "1024");
}

TEST(SnpLaunchDigest, firmware_that_cannot_be_measured_is_refused) {
  expect_refused({.firmware = image(amd_sev_rows, false)}, MeasureError::bad_firmware, "no page with room");
  expect_refused({.firmware = image(x64_rows, false), .kernel = false, .cpus = 2}, MeasureError::bad_firmware, "begin");
  expect_refused({.firmware = image({{0x800000, 0x1000, 9}}), .kernel = false}, MeasureError::bad_firmware,
                 "unknown type 9");
  expect_refused({.digest = "00"}, MeasureError::bad_firmware, "48 bytes");
  const auto odd = snp_firmware_digest(Bytes(4097));
  ASSERT_FALSE(odd);
  EXPECT_EQ(odd.error().code, ErrorCode{MeasureError::bad_firmware});
}

}  // namespace
}  // namespace coffer::evidence::measure
