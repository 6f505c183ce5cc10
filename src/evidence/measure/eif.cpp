#include "evidence/measure/eif.h"

#include <algorithm>
#include <array>
#include <vector>

#include "base/byte_reader.h"
#include "codec/cbor.h"
#include "crypto/hash.h"
#include "crypto/x509.h"

namespace coffer::evidence::measure {

namespace {

// aws-nitro-enclaves-image-format, README and src/defs.rs: everything is big-endian.
constexpr std::string_view magic = ".eif";
constexpr std::size_t max_sections = 32;
constexpr std::size_t header_size = 548;
constexpr std::size_t checksum_offset = header_size - 4;
constexpr std::size_t section_header_size = 12;
enum class SectionType : std::uint16_t { kernel = 1, command_line = 2, ramdisk = 3, signature = 4, metadata = 5 };

struct Section {
  SectionType type;
  ByteView content;
};

std::unexpected<Error> bad(std::string text) {
  return fail(MeasureError::bad_eif, std::move(text));
}

// IEEE 802.3, reflected, as zlib's.
class Crc32 {
 public:
  void update(ByteView data) {
    for (const auto byte : data)
      value_ = table()[(value_ ^ std::to_integer<std::uint32_t>(byte)) & 0xff] ^ (value_ >> 8);
  }
  std::uint32_t value() const { return ~value_; }

 private:
  static const std::array<std::uint32_t, 256>& table() {
    static const auto values = [] {
      std::array<std::uint32_t, 256> out{};
      for (std::uint32_t i = 0; i < out.size(); ++i) {
        auto rest = i;
        for (int bit = 0; bit < 8; ++bit) rest = (rest & 1) != 0 ? 0xedb88320U ^ (rest >> 1) : rest >> 1;
        out[i] = rest;
      }
      return out;
    }();
    return values;
  }
  std::uint32_t value_ = 0xffffffff;
};

Result<Section> read_section(ByteView image, std::uint64_t offset, std::uint64_t stated) {
  if (offset < header_size || offset > image.size() || image.size() - offset < section_header_size) {
    return bad("a section begins at " + std::to_string(offset) + " of " + std::to_string(image.size()) + " bytes");
  }
  ByteReader reader{image.subspan(offset)};
  const auto type = TRY(reader.u16_be("section type"));
  TRY(reader.skip(2, "section flags"));
  const auto size = TRY(reader.u64_be("section size"));
  if (size != stated || size > reader.remaining()) {
    return bad("a section says it has " + std::to_string(size) + " bytes, the header says " + std::to_string(stated));
  }
  if (type < 1 || type > 5) return bad("a section of unknown type " + std::to_string(type));
  return Section {
    static_cast<SectionType>(type), TRY(reader.bytes(size, "section"))
  };
}

Result<std::vector<Section>> read_sections(ByteView image) {
  if (image.size() < header_size || as_text(image.first(magic.size())) != magic) {
    return bad("the image does not begin with \".eif\" and a whole header");
  }
  ByteReader reader{image.subspan(magic.size())};
  const auto version = TRY(reader.u16_be("version"));
  if (version < 3 || version > 4) return bad("version 3 or 4 is expected, found " + std::to_string(version));
  TRY(reader.skip(2 + 8 + 8 + 2, "flags, memory, processors"));
  const std::size_t count = TRY(reader.u16_be("number of sections"));
  if (count > max_sections) return bad(std::to_string(count) + " sections, at most 32 are possible");
  std::array<std::uint64_t, max_sections> offsets{}, sizes{};
  for (auto& each : offsets) each = TRY(reader.u64_be("section offset"));
  for (auto& each : sizes) each = TRY(reader.u64_be("section size"));
  std::vector<Section> out;
  for (std::size_t i = 0; i < count; ++i) out.push_back(TRY(read_section(image, offsets[i], sizes[i])));
  return out;
}

Result<> check_checksum(ByteView image) {
  const auto stated = TRY(ByteReader{image.subspan(checksum_offset)}.u32_be("checksum"));
  Crc32 crc;
  crc.update(image.first(checksum_offset));
  crc.update(image.subspan(header_size));
  if (crc.value() == stated) return {};
  return bad("the image is damaged: checksum " + std::to_string(crc.value()) + ", expected " + std::to_string(stated));
}

Bytes extended(const Bytes& digest) {
  return crypto::sha384(concat({Bytes(48), digest}));
}

// serde writes bytes as an array of integers; byte strings are taken too.
Result<Bytes> bytes_of(const codec::cbor::Value& value) {
  if (const auto* bytes = value.if_bytes()) return *bytes;
  const auto* array = value.if_array();
  if (array == nullptr) return bad("the signature's certificate is no bytes");
  Bytes out;
  for (const auto& each : *array) {
    const auto byte = each.if_uint64();
    if (!byte || *byte > 255) return bad("the signature's certificate is no bytes");
    out.push_back(static_cast<std::byte>(*byte));
  }
  return out;
}

// [{"signing_certificate": PEM, "signature": COSE_Sign1}, ...]: the first one counts.
Result<Bytes> signer_register(ByteView section) {
  const auto value = codec::cbor::parse(section, {.max_size = 1U << 20, .max_depth = 16, .max_items = 1U << 18});
  if (!value) return bad("the signature section: " + value.error().message);
  const auto* signatures = value->if_array();
  const auto* pem =
      signatures != nullptr && !signatures->empty() ? signatures->front().find("signing_certificate") : nullptr;
  if (pem == nullptr) return bad("the signature section holds no signing certificate");
  const auto certificate = crypto::Certificate::from_pem(as_text(TRY(bytes_of(*pem))));
  if (!certificate) return bad("the signing certificate: " + certificate.error().message);
  return extended(crypto::sha384(certificate->der()));
}

bool has_boot_parts(const std::vector<Section>& sections) {
  const auto count = [&](SectionType type) { return std::ranges::count(sections, type, &Section::type); };
  return count(SectionType::kernel) == 1 && count(SectionType::command_line) == 1 && count(SectionType::ramdisk) >= 1 &&
         count(SectionType::signature) <= 1;
}

}  // namespace

Result<NitroMeasurements> measure_eif(ByteView image) {
  const auto sections = TRY(read_sections(image));
  TRY(check_checksum(image));
  if (!has_boot_parts(sections)) {
    return bad("one kernel, one command line, ramdisks and at most one signature are expected");
  }
  crypto::Hasher whole{crypto::HashAlgorithm::sha384}, boot{crypto::HashAlgorithm::sha384};
  crypto::Hasher application{crypto::HashAlgorithm::sha384};
  NitroMeasurements out;
  bool first_ramdisk = true;
  for (const auto& [type, content] : sections) {
    if (type == SectionType::metadata) continue;
    if (type == SectionType::signature) {
      out.pcr8 = TRY(signer_register(content));
      continue;
    }
    whole.update(content);
    auto& part = type != SectionType::ramdisk || std::exchange(first_ramdisk, false) ? boot : application;
    part.update(content);
  }
  out.pcr0 = extended(whole.finish());
  out.pcr1 = extended(boot.finish());
  out.pcr2 = extended(application.finish());
  return out;
}

}  // namespace coffer::evidence::measure
