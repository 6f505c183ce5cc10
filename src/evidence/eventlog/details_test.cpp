#include "evidence/eventlog/details.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "codec/base64.h"
#include "evidence/eventlog/text.h"
#include "evidence/eventlog/writer.h"

namespace coffer::evidence::eventlog {
namespace {

namespace json = codec::json;
using testing::ElementsAre;

std::string shown(EventType type, ByteView data) {
  return json::serialize(details(Event{0, type, {}, data}));
}

std::string shown(EventType type, std::string_view hex) {
  const auto data = codec::hex_decode(hex);
  EXPECT_TRUE(data);
  return shown(type, ByteView{*data});
}

// One node and the end of the path.
std::vector<std::string> nodes(std::string_view hex) {
  auto bytes = codec::hex_decode(std::string{hex} + "7fff0400");
  EXPECT_TRUE(bytes);
  auto out = device_path_nodes(*bytes);
  EXPECT_TRUE(out) << to_string(out.error());
  return out ? *out : std::vector<std::string>{};
}

TEST(Details, text_events_show_their_text) {
  for (const auto type : {EventType::post_code, EventType::action, EventType::compact_hash,
                          EventType::omit_boot_device_events, EventType::efi_action}) {
    EXPECT_EQ(shown(type, as_bytes("ACPI DATA")), R"({"string":"ACPI DATA"})");
    EXPECT_EQ(shown(type, as_bytes("\xff")), "{}");
  }
}

TEST(Details, types_without_a_form_show_nothing) {
  EXPECT_EQ(shown(EventType::separator, "00000000"), "{}");
  EXPECT_EQ(shown(EventType{0x12345}, "41"), "{}");
}

TEST(Details, blobs_show_their_description) {
  EXPECT_EQ(shown(EventType::efi_handoff_tables2, "095464785461626c6500010000000000"), R"({"string":"TdxTable"})");
  EXPECT_EQ(shown(EventType::efi_platform_firmware_blob2, "0354647800"), R"({"string":"Tdx"})");
  EXPECT_EQ(shown(EventType::efi_platform_firmware_blob2, "0f54"), "{}");
  EXPECT_EQ(shown(EventType::efi_platform_firmware_blob2, ""), "{}");
}

TEST(Details, variables_show_name_and_content) {
  EXPECT_EQ(
      shown(EventType::efi_variable_boot,
            "61dfe48bca93d211aa0d00e098032b8c0900000000000000020000000000000042006f006f0074004f00720064006500720000"
            "00"),
      R"({"unicode_name":"BootOrder","unicode_name_length":9,"variable_data":"AAA=",)"
      R"("variable_data_length":2,"variable_name":"61dfe48b-ca93-d211-aa0d-00e098032b8c"})");
}

TEST(Details, variables_whose_lengths_lie_show_nothing) {
  const std::string guid = "61dfe48bca93d211aa0d00e098032b8c";
  EXPECT_EQ(shown(EventType::efi_variable_boot2, guid), "{}");
  EXPECT_EQ(shown(EventType::efi_variable_boot2, guid + "0a000000000000000000000000000000"), "{}");
  EXPECT_EQ(shown(EventType::efi_variable_boot2, guid + "00000000000000800000000000000000"), "{}");
  EXPECT_EQ(shown(EventType::efi_variable_boot2, guid + "0000000000000000ffffffffffffffff"), "{}");
}

TEST(Details, platform_configuration_is_text_without_controls) {
  EXPECT_EQ(shown(EventType::platform_config_flags, as_bytes("a\x10\nb\xc2\x85\xc3\xa4\x7f")),
            "{\"string\":\"a b\xc3\xa4\"}");
  EXPECT_EQ(shown(EventType::platform_config_flags, as_bytes("a\xff")), R"({"string":""})");
}

TEST(Details, boot_loaders_strings_are_read_in_each_of_their_forms) {
  EXPECT_EQ(shown(EventType::ipl, "4d6f6b4c69737400"), R"({"string":"MokList"})");
  EXPECT_EQ(shown(EventType::ipl, "2e006c0069006e00750078000000"), R"({"string":"linux"})");
  EXPECT_EQ(shown(EventType::ipl, "2e00"), "{}");
  EXPECT_EQ(shown(EventType::ipl, "2e0000"), "{}");
  EXPECT_EQ(shown(EventType::ipl, "ff41"), R"({"string":"ff41"})");
}

TEST(Details, tagged_events_show_their_text) {
  EXPECT_EQ(shown(EventType::event_tag, "ec223b8f0d0000004c696e757820696e6974726400"), R"({"string":"Linux initrd"})");
  EXPECT_EQ(shown(EventType::event_tag, "ec223b8f0e0000004c696e757820696e6974726400"), "{}");
  EXPECT_EQ(shown(EventType::event_tag, "ec223b8f0200000041ff"), "{\"string\":\"A\xef\xbf\xbd\"}");
}

TEST(Details, the_agents_events_are_taken_apart) {
  EXPECT_EQ(shown(EventType::event_tag, ByteView{tagged_event(agent_event_id, as_bytes("a b c d"))}),
            R"({"string":"a b c d","data":{"domain":"a","operation":"b","content":"c d"},"unicode_name":"AAEL"})");
  EXPECT_EQ(shown(EventType::event_tag, ByteView{tagged_event(agent_event_id, as_bytes("a b {\"k\": [1]}"))}),
            R"({"string":"a b {\"k\": [1]}","data":{"domain":"a","operation":"b","content":{"k":[1]}},)"
            R"("unicode_name":"AAEL"})");
  EXPECT_EQ(shown(EventType::event_tag, ByteView{tagged_event(agent_event_id, as_bytes("a b"))}), "{}");
}

TEST(Details, boot_applications_show_their_device_path) {
  const std::string head = "1800b37c0000000000a2a500000000000000000000000000";
  EXPECT_EQ(shown(EventType::efi_boot_services_application,
                  head + "1600000000000000" + "040412006b00650072006e0065006c0000007fff0400"),
            R"json({"device_paths":["File(kernel)"]})json");
  EXPECT_EQ(shown(EventType::efi_boot_services_application, head + "0000000000000000"), "{}");
  EXPECT_EQ(shown(EventType::efi_boot_services_application, head + "ffffffffffffffff"), "{}");
  EXPECT_EQ(shown(EventType::efi_boot_services_application, head), "{}");
}

TEST(DevicePath, nodes_are_written_as_upstream_writes_them) {
  EXPECT_THAT(nodes("010106000301"), ElementsAre("Pci(3,1)"));
  EXPECT_THAT(nodes("02010c00d041030a02000000"), ElementsAre("ACPI(PNP0A03,2)"));
  EXPECT_THAT(nodes("030506000102"), ElementsAre("USB(1,2)"));
  EXPECT_THAT(nodes("030b2500001320f5fa7700000000000000000000000000000000000000000000000000"
                    "0001"),
              ElementsAre("Mac(001320F5FA77,0x01)"));
  EXPECT_THAT(nodes("030c1b000100a8c06400a8c00000bc0c0600010000000000000000"),
              ElementsAre("IPv4(192.168.0.100,TCP,Static,192.168.0.1)"));
  EXPECT_THAT(nodes("030c1b000100a8c06400a8c00000bc0c1100000100000002000000"),
              ElementsAre("IPv4(192.168.0.100,UDP,DHCP,192.168.0.1,1,2)"));
  EXPECT_THAT(nodes("0315140000010203040506070001020304050607"),
              ElementsAre("FibreEx(0x0001020304050607,0x0001020304050607)"));
  EXPECT_THAT(nodes("04012a00010000000008000000000000000010000000000044332211000000000000000000000000"
                    "0101"),
              ElementsAre("HD(1,MBR,0x11223344,0x800,0x100000)"));
  EXPECT_THAT(nodes("0403140072f728144ab61e44b8c39ebdd7f893c7"),
              ElementsAre("VenMedia(1428F772-B64A-441E-B8C3-9EBDD7F893C7,)"));
  EXPECT_THAT(nodes("05010c000200070041420000"), ElementsAre("BBS(HARD_DRIVE,AB,7)"));
}

TEST(DevicePath, every_kind_of_bios_device_has_its_name) {
  for (const auto& [number, name] : {std::pair{"01", "FLOPPY"},
                                     {"03", "CDROM"},
                                     {"04", "PCMCIA"},
                                     {"05", "USB"},
                                     {"06", "EMBEDDED_NETWORK"},
                                     {"80", "DEV"},
                                     {"ff", "UNKNOWN"},
                                     {"09", "9"}}) {
    EXPECT_THAT(nodes(std::string{"05010900"} + number +
                      "0000000"
                      "0"),
                ElementsAre(std::string{"BBS("} + name + ",,0)"));
  }
}

TEST(DevicePath, nodes_of_other_kinds_or_without_their_form_are_written_as_bytes) {
  EXPECT_THAT(nodes("03170600aabb"), ElementsAre("Path(3,23,aabb)"));
  EXPECT_THAT(nodes("01010500aa"), ElementsAre("Path(1,1,aa)"));
  EXPECT_THAT(nodes("030b0500aa"), ElementsAre("Path(3,11,aa)"));
  EXPECT_THAT(nodes("04040500aa"), ElementsAre("Path(4,4,aa)"));
  EXPECT_THAT(nodes("0501090001000000ff"), ElementsAre("Path(5,1,01000000ff)"));
  EXPECT_THAT(nodes("04012a0001000000000800000000000000001000000000004433221100000000000000000000000003"
                    "01"),
              ElementsAre(testing::StartsWith("Path(4,1,")));
}

TEST(DevicePath, lengths_that_do_not_add_up_are_refused) {
  for (const auto hex : {"", "7fff04", "010103007fff0400",
                         "010107000301"
                         "7fff0400",
                         "01"
                         "7fff0400"}) {
    EXPECT_FALSE(device_path_nodes(*codec::hex_decode(hex))) << hex;
  }
}

TEST(Text, utf16_that_is_none_is_repaired) {
  EXPECT_EQ(from_utf16le(*codec::hex_decode("3dd800de")), "\xf0\x9f\x98\x80");
  EXPECT_EQ(from_utf16le(*codec::hex_decode("e400ac20")), "\xc3\xa4\xe2\x82\xac");
  EXPECT_EQ(from_utf16le(*codec::hex_decode("3dd84100")),
            "\xef\xbf\xbd"
            "A");
  EXPECT_EQ(from_utf16le(*codec::hex_decode("00de")), "\xef\xbf\xbd");
  EXPECT_EQ(from_utf16le(*codec::hex_decode("410042")), "A");
}

TEST(Text, utf8_is_told_from_what_only_looks_like_it) {
  for (const auto good :
       {"", "a", "\xc3\xa4", "\xe2\x82\xac", "\xf0\x9f\x98\x80", "\xed\x9f\xbf", "\xf4\x8f\xbf\xbf"}) {
    EXPECT_TRUE(is_utf8(good)) << good;
  }
  for (const auto bad : {"\xff", "\xc0\x80", "\xc1\xbf", "\xe0\x9f\xbf", "\xed\xa0\x80", "\xf0\x8f\xbf\xbf",
                         "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xe2\x82", "\xe2\x41\x41", "\x80"}) {
    EXPECT_FALSE(is_utf8(bad));
    EXPECT_TRUE(is_utf8(repaired_utf8(bad)));
  }
}

TEST(Describe, one_line_names_type_and_gist) {
  EXPECT_EQ(describe(Event{9, EventType::event_tag, {}, ByteView{}}), "EV_EVENT_TAG");
  const auto data = tagged_event(linux_initrd_id, as_bytes("Linux\ninitrd"));
  EXPECT_EQ(describe(Event{9, EventType::event_tag, {}, data}), "EV_EVENT_TAG Linux initrd");
  EXPECT_EQ(describe("EV_X", {{"unicode_name", "db"}}), "EV_X db");
  EXPECT_EQ(describe("EV_X", {{"device_paths", json::Array{"Pci(0,1)", "File(kernel)"}}}), "EV_X File(kernel)");
  EXPECT_EQ(describe("EV_X", {{"device_paths", json::Array{1}}}), "EV_X");
}

}  // namespace
}  // namespace coffer::evidence::eventlog
