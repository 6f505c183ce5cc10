#include "evidence/measure/ovmf.h"

#include "base/byte_reader.h"

namespace coffer::evidence::measure {

namespace {

constexpr std::size_t entry_header_size = 2 + 16;
constexpr std::size_t behind_table = 32;
constexpr std::size_t max_sections = 256;
// A section beyond this is none that a monitor would add page by page.
constexpr std::uint64_t max_section_size = 1U << 30;

std::unexpected<Error> bad(std::string text) {
  return fail(MeasureError::bad_firmware, std::move(text));
}

Guid guid_at(ByteView bytes) {
  Guid out{};
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = bytes[i];
  return out;
}

std::size_t length_at(ByteView bytes) {
  return std::to_integer<std::size_t>(bytes[0]) | std::to_integer<std::size_t>(bytes[1]) << 8;
}

// An entry's data when it ends with its own length and GUID; `end` is where the entry ends.
struct Entry {
  Guid guid;
  ByteView data;
};
Result<Entry> entry_before(ByteView bytes) {
  if (bytes.size() < entry_header_size) return bad("the firmware's table is cut");
  const auto header = bytes.last(entry_header_size);
  const auto length = length_at(header);
  if (length < entry_header_size || length > bytes.size()) {
    return bad("an entry of the firmware's table says it is " + std::to_string(length) + " bytes long");
  }
  return Entry{guid_at(header.subspan(2)), bytes.last(length).first(length - entry_header_size)};
}

// What an entry of 4 bytes points to, counted from the image's end.
Result<ByteReader> pointed_to(ByteView image, ByteView pointer) {
  const auto distance = TRY(ByteReader{pointer}.u32_le("distance from the end"));
  if (distance > image.size()) return bad("the firmware's table points before its image");
  return ByteReader{image.last(distance)};
}

Result<> expect_text(ByteReader& reader, std::string_view expected) {
  if (as_text(TRY(reader.bytes(expected.size(), "signature"))) == expected) return {};
  return bad("the firmware's descriptor has no signature \"" + std::string{expected} + "\"");
}

// The number of sections, checked.
Result<std::uint32_t> section_count(ByteReader& reader, std::size_t section_size) {
  const auto count = TRY(reader.u32_le("number of sections"));
  if (count > max_sections || count * section_size > reader.remaining()) {
    return bad("the firmware's descriptor lists " + std::to_string(count) + " sections");
  }
  return count;
}

Result<std::vector<SevSection>> read_sev_sections(ByteReader reader) {
  TRY(expect_text(reader, "ASEV"));
  TRY(reader.skip(8, "length and version"));
  const auto count = TRY(section_count(reader, 12));
  std::vector<SevSection> out;
  for (std::uint32_t i = 0; i < count; ++i) {
    SevSection section{};
    section.address = TRY(reader.u32_le("address"));
    section.size = TRY(reader.u32_le("size"));
    section.type = static_cast<SevSection::Type>(TRY(reader.u32_le("type")));
    if (section.address % 4096 != 0 || section.size % 4096 != 0 || section.size > max_section_size) {
      return bad("a SEV section is no whole number of pages");
    }
    out.push_back(section);
  }
  return out;
}

Result<TdxSection> read_tdx_section(ByteReader& reader, std::size_t image_size) {
  TdxSection out{};
  out.data_offset = TRY(reader.u32_le("data offset"));
  out.data_size = TRY(reader.u32_le("data size"));
  out.address = TRY(reader.u64_le("address"));
  out.memory_size = TRY(reader.u64_le("memory size"));
  out.type = TRY(reader.u32_le("type"));
  out.attributes = TRY(reader.u32_le("attributes"));
  if (std::uint64_t{out.data_offset} + out.data_size > image_size)
    return bad("a TDX section's data lies behind the image");
  if (out.address % 4096 != 0 || out.memory_size % 4096 != 0 || out.memory_size > max_section_size ||
      out.data_size > out.memory_size) {
    return bad("a TDX section is no whole number of pages, or smaller than its data");
  }
  return out;
}

}  // namespace

Guid guid_of(std::string_view text) {
  constexpr std::array<std::uint8_t, 16> order{3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15};
  const auto digit = [](char c) { return static_cast<unsigned>(c <= '9' ? c - '0' : c - 'a' + 10); };
  Guid out{};
  std::size_t place = 0;
  for (std::size_t i = 0; i + 1 < text.size() && place < out.size(); i += 2) {
    if (text[i] == '-') ++i;
    out[order[place++]] = static_cast<std::byte>(digit(text[i]) << 4 | digit(text[i + 1]));
  }
  return out;
}

Result<OvmfTable> OvmfTable::parse(ByteView image) {
  static const auto footer_guid = guid_of("96b582de-1fb2-45f7-baea-a366c55a082d");
  if (image.size() < behind_table + entry_header_size) return bad("the firmware is too small to have a table");
  const auto footer = TRY(entry_before(image.first(image.size() - behind_table)));
  if (footer.guid != footer_guid) return bad("the firmware has no table of GUIDs at its end");
  OvmfTable out;
  for (auto rest = footer.data; !rest.empty();) {
    const auto entry = TRY(entry_before(rest));
    if (!out.entries_.emplace(entry.guid, entry.data).second) return bad("the firmware's table has an entry twice");
    rest = rest.first(rest.size() - entry.data.size() - entry_header_size);
  }
  return out;
}

std::optional<ByteView> OvmfTable::find(const Guid& guid) const {
  const auto found = entries_.find(guid);
  return found == entries_.end() ? std::nullopt : std::optional{found->second};
}

Result<SevFirmware> read_sev_firmware(ByteView image) {
  static const auto metadata = guid_of("dc886566-984a-4798-a75e-5585a7bf67cc");
  static const auto hash_table = guid_of("7255371f-3a3b-4b04-927b-1da6efa8d454");
  static const auto reset_block = guid_of("00f771de-1a7e-4fcb-890e-68c77e2fb44e");
  const auto table = TRY(OvmfTable::parse(image));
  const auto pointer = table.find(metadata);
  if (!pointer) return bad("the firmware has no SEV metadata: it is none for SEV-SNP");
  SevFirmware out {
    .sections = TRY(read_sev_sections(TRY(pointed_to(image, *pointer))))
  };
  if (const auto entry = table.find(hash_table)) {
    out.hash_table_address = TRY(ByteReader{*entry}.u32_le("address of the hash table"));
  }
  if (const auto entry = table.find(reset_block)) out.reset_eip = TRY(ByteReader{*entry}.u32_le("reset address"));
  return out;
}

Result<std::vector<TdxSection>> read_tdx_sections(ByteView image) {
  static const auto metadata = guid_of("e47a6535-984a-4798-865e-4685a7bf8ec2");
  const auto table = TRY(OvmfTable::parse(image));
  const auto pointer = table.find(metadata);
  if (!pointer) return bad("the firmware has no TDX metadata: it is none for TDX");
  auto reader = TRY(pointed_to(image, *pointer));
  TRY(expect_text(reader, "TDVF"));
  TRY(reader.skip(4, "length"));
  if (const auto version = TRY(reader.u32_le("version")); version != 1) {
    return bad("TDX metadata of version 1 is expected, found " + std::to_string(version));
  }
  const auto count = TRY(section_count(reader, 32));
  std::vector<TdxSection> out;
  for (std::uint32_t i = 0; i < count; ++i) out.push_back(TRY(read_tdx_section(reader, image.size())));
  return out;
}

}  // namespace coffer::evidence::measure
