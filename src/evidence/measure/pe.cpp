#include "evidence/measure/pe.h"

#include <algorithm>
#include <vector>

#include "base/byte_reader.h"

namespace coffer::evidence::measure {

namespace {

// Offsets of the PE/COFF specification, sections 3.3 and 3.4.
constexpr std::size_t coff_header_size = 24;  // signature included
constexpr std::size_t section_header_size = 40;
constexpr std::uint16_t pe32_plus = 0x20b;
constexpr std::uint16_t pe32 = 0x10b;
constexpr std::uint32_t certificate_table = 4;  // index of the data directory
constexpr std::size_t max_sections = 96;

struct Range {
  std::uint64_t offset;
  std::uint64_t size;
};

struct Layout {
  std::size_t checksum;            // offset of the 4 bytes
  std::size_t directory = 0;       // offset of the certificate table's entry, 0: none
  std::uint64_t headers_size;      // SizeOfHeaders
  std::uint64_t certificates = 0;  // size of what lies behind the image
  std::vector<Range> sections;
};

std::unexpected<Error> bad(std::string text) {
  return fail(MeasureError::bad_pe, std::move(text));
}

Result<ByteReader> at(ByteView image, std::uint64_t offset) {
  if (offset > image.size()) return bad("a header begins at " + std::to_string(offset) + ", behind the image's end");
  return ByteReader{image.subspan(offset)};
}

Result<std::size_t> pe_offset(ByteView image) {
  auto reader = TRY(at(image, 0));
  if (image.size() < 64 || as_text(image.first(2)) != "MZ")
    return bad("the image does not begin with an MS-DOS header");
  TRY(reader.skip(0x3c, "MS-DOS header"));
  const std::size_t offset = TRY(reader.u32_le("e_lfanew"));
  auto header = TRY(at(image, offset));
  const auto signature = header.bytes(4, "signature");
  if (!signature || as_text(*signature) != std::string_view{"PE\0\0", 4}) return bad("the image has no PE signature");
  return offset;
}

Result<std::vector<Range>> read_sections(ByteView image, std::size_t table, std::size_t count) {
  if (count > max_sections) return bad(std::to_string(count) + " sections, at most 96 are allowed");
  std::vector<Range> out;
  for (std::size_t i = 0; i < count; ++i) {
    auto reader = TRY(at(image, table + i * section_header_size));
    TRY(reader.skip(16, "section header"));
    const std::uint64_t size = TRY(reader.u32_le("SizeOfRawData"));
    const std::uint64_t offset = TRY(reader.u32_le("PointerToRawData"));
    if (size == 0) continue;
    if (offset + size > image.size())
      return bad("a section ends at " + std::to_string(offset + size) + ", behind the image's end");
    out.push_back({offset, size});
  }
  std::ranges::sort(out, {}, &Range::offset);
  return out;
}

Result<> read_optional_header(ByteView image, std::size_t offset, Layout& layout) {
  auto reader = TRY(at(image, offset));
  const auto magic = TRY(reader.u16_le("optional header magic"));
  if (magic != pe32 && magic != pe32_plus) return bad("the optional header is of an unknown form");
  TRY(reader.skip(58, "optional header"));
  layout.headers_size = TRY(reader.u32_le("SizeOfHeaders"));
  layout.checksum = offset + 64;
  const std::size_t directories = offset + (magic == pe32 ? 96 : 112);
  auto counts = TRY(at(image, directories - 4));
  if (TRY(counts.u32_le("NumberOfRvaAndSizes")) <= certificate_table) return {};
  layout.directory = directories + certificate_table * 8;
  auto entry = TRY(at(image, layout.directory + 4));
  layout.certificates = TRY(entry.u32_le("certificate table size"));
  return {};
}

Result<Layout> read_layout(ByteView image) {
  const auto pe = TRY(pe_offset(image));
  auto coff = TRY(at(image, pe + 6));
  const std::size_t sections = TRY(coff.u16_le("NumberOfSections"));
  auto sizes = TRY(at(image, pe + 20));
  const std::size_t optional_size = TRY(sizes.u16_le("SizeOfOptionalHeader"));
  Layout layout{};
  const auto optional = pe + coff_header_size;
  TRY(read_optional_header(image, optional, layout));
  layout.sections = TRY(read_sections(image, optional + optional_size, sections));
  const auto end_of_fields = layout.directory == 0 ? layout.checksum + 4 : layout.directory + 8;
  if (layout.headers_size > image.size() || layout.headers_size < end_of_fields) {
    return bad("SizeOfHeaders is " + std::to_string(layout.headers_size) + ", which does not fit the image");
  }
  return layout;
}

}  // namespace

Result<Bytes> authenticode_digest(crypto::HashAlgorithm algorithm, ByteView image) {
  auto layout = read_layout(image);
  if (!layout) return bad(layout.error().message);
  crypto::Hasher hasher{algorithm};
  const auto add = [&](std::uint64_t from, std::uint64_t to) { hasher.update(image.subspan(from, to - from)); };
  add(0, layout->checksum);
  if (layout->directory == 0) {
    add(layout->checksum + 4, layout->headers_size);
  } else {
    add(layout->checksum + 4, layout->directory);
    add(layout->directory + 8, layout->headers_size);
  }
  std::uint64_t hashed = layout->headers_size;
  for (const auto& section : layout->sections) {
    add(section.offset, section.offset + section.size);
    hashed += section.size;
  }
  // Steps 13 and 14: what lies behind the sections, without the certificates at its end.
  if (image.size() > hashed) {
    if (layout->certificates > image.size() - hashed)
      return bad("the certificate table is larger than what is left for it");
    add(hashed, image.size() - layout->certificates);
  }
  return hasher.finish();
}

}  // namespace coffer::evidence::measure
