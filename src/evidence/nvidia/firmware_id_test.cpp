#include "evidence/nvidia/firmware_id.h"

#include <gtest/gtest.h>

#include "codec/base64.h"
#include "codec/der.h"
#include "crypto/keys.h"
#include "evidence/nvidia/chain.h"
#include "evidence/tee.h"

namespace coffer::evidence::nvidia {
namespace {

namespace der = codec::der;

const Bytes digest(48, std::byte{0x9b});

Bytes device_key() {
  return crypto::PrivateKey::generate(crypto::KeyKind::ec_p384)->public_key().to_spki_der();
}

TEST(FirmwareId, of_a_composite_device_id_comes_with_the_devices_key) {
  const auto key = device_key();
  const auto firmware = parse_composite_device_id(encode_composite_device_id(key, digest));
  ASSERT_TRUE(firmware) << to_string(firmware.error());
  EXPECT_EQ(firmware->digest, digest);
  EXPECT_EQ(firmware->device_key, key);
}

TEST(FirmwareId, of_tcb_info_is_the_first_of_its_list) {
  const auto firmware = parse_tcb_info(encode_tcb_info(digest));
  ASSERT_TRUE(firmware) << to_string(firmware.error());
  EXPECT_EQ(firmware->digest, digest);
  EXPECT_FALSE(firmware->device_key);
}

// The layout that Blackwell's certificates have: vendor, model, version, SVN, layer, index, two firmware ids, flags,
// vendor's own, type.
TEST(FirmwareId, members_that_nobody_asks_for_are_passed_over) {
  const auto id = der::encode_sequence({*der::encode_oid("2.16.840.1.101.3.4.2.2"), der::encode_octet_string(digest)});
  const auto all =
      der::encode_sequence({der::encode(0x80, as_bytes("NVIDIA")), der::encode(0x81, as_bytes("GB20X A01 GSP")),
                            der::encode(0x82, as_bytes("02")), der::encode(0x83, *codec::hex_decode("02")),
                            der::encode(0x84, *codec::hex_decode("00")), der::encode(0x85, *codec::hex_decode("00")),
                            der::encode(0xa6, id), der::encode(0x87, *codec::hex_decode("0080000001")),
                            der::encode(0x88, *codec::hex_decode("c0")), der::encode(0x89, *codec::hex_decode("00"))});
  const auto firmware = parse_tcb_info(all);
  ASSERT_TRUE(firmware) << to_string(firmware.error());
  EXPECT_EQ(firmware->digest, digest);
}

using Parse = Result<FirmwareId> (*)(ByteView);

void expect_refused(Parse parse, const Bytes& extension, const char* why) {
  const auto firmware = parse(extension);
  ASSERT_FALSE(firmware) << why;
  EXPECT_EQ(firmware.error().code, NvidiaError::bad_firmware_id) << why;
}

void expect_prefixes_refused(Parse parse, const Bytes& whole) {
  ASSERT_TRUE(parse(whole));
  for (std::size_t size = 0; size < whole.size(); ++size) {
    expect_refused(parse, Bytes(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)), "cut");
  }
  expect_refused(parse, concat({whole, Bytes(1)}), "a byte behind it");
}

TEST(FirmwareId, another_shape_is_refused) {
  const auto id = der::encode_sequence({*der::encode_oid("2.16.840.1.101.3.4.2.2"), der::encode_octet_string(digest)});
  const auto ids = der::encode(0xa6, id);
  const auto sha256 =
      der::encode_sequence({*der::encode_oid("2.16.840.1.101.3.4.2.1"), der::encode_octet_string(Bytes(32))});
  expect_refused(parse_tcb_info, der::encode_sequence({}), "no firmware id");
  expect_refused(parse_tcb_info, der::encode_sequence({ids, ids}), "two lists");
  expect_refused(parse_tcb_info, der::encode_sequence({der::encode(0x87, Bytes(5)), ids}), "out of their order");
  expect_refused(parse_tcb_info, der::encode_sequence({der::encode(0xa6, sha256)}), "another hash");
  expect_refused(parse_tcb_info, der::encode_sequence({der::encode(0xa6, Bytes{})}), "an empty list");
  expect_refused(parse_composite_device_id, der::encode_sequence({der::encode_integer(1), device_key(), id, id}),
                 "a member too many");
  expect_refused(parse_composite_device_id, encode_tcb_info(digest), "the other form");
  expect_refused(parse_tcb_info, encode_composite_device_id(device_key(), digest), "the other form");
  expect_prefixes_refused(parse_tcb_info, encode_tcb_info(digest));
  expect_prefixes_refused(parse_composite_device_id, encode_composite_device_id(device_key(), digest));
}

TEST(Decimal, is_of_any_length) {
  EXPECT_EQ(decimal_of({}), "0");
  EXPECT_EQ(decimal_of(*codec::hex_decode("00")), "0");
  EXPECT_EQ(decimal_of(*codec::hex_decode("0100")), "256");
  EXPECT_EQ(decimal_of(*codec::hex_decode("ffffffffffffffff")), "18446744073709551615");
  EXPECT_EQ(decimal_of(*codec::hex_decode("47998610bf499ac0121fe43825e060ff14e852ed")),
            "408762037488965241743361667085904172082023387885");
}

TEST(Architecture, is_read_from_the_name_of_a_line_of_certificates) {
  EXPECT_EQ(architecture_of_name("NVIDIA GH100 Identity"), Architecture::hopper);
  EXPECT_EQ(architecture_of_name("NVIDIA GB20X Identity"), Architecture::blackwell);
  for (const auto* other : {"", "GH100", "NVIDIA Identity", "NVIDIA GHOST", "NVIDIA LS10 Identity", "x yGH100"}) {
    EXPECT_FALSE(architecture_of_name(other)) << other;
  }
  for (const auto* spelling : {"HOPPER", "Hopper", "hopper"}) {
    EXPECT_EQ(parse_architecture(spelling).value(), Architecture::hopper);
  }
  EXPECT_EQ(parse_architecture("AMPERE").error().code, EvidenceError::malformed);
}

}  // namespace
}  // namespace coffer::evidence::nvidia
