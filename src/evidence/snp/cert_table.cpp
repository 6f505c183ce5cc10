#include <algorithm>
#include <array>

#include "base/byte_reader.h"
#include "codec/base64.h"
#include "evidence/snp/sev_guest.h"

namespace coffer::evidence::snp {

namespace {

constexpr std::size_t guid_size = 16;
constexpr std::size_t entry_size = guid_size + 4 + 4;
constexpr std::size_t max_entries = 16;
constexpr std::size_t page = 4096;

struct Guid {
  CertificateType type;
  std::string_view hex;  // the GUID's text without hyphens: the table has its bytes in this order
};
constexpr std::array guids{Guid{CertificateType::ark,
                                "c0b406a4a80349529743"
                                "3fb6014cd0ae"},
                           Guid{CertificateType::ask,
                                "4ab7b379bbac4fe4a02f"
                                "05aef327c782"},
                           Guid{CertificateType::vcek,
                                "63da758de6644564adc5"
                                "f4b93be8accd"},
                           Guid{CertificateType::vlek,
                                "a8074bc2a25a483eaae6"
                                "39c045a0b8a1"},
                           Guid{CertificateType::crl,
                                "92f81bc358114d3d97ff"
                                "d19f88dc67ea"}};

CertificateType type_of(ByteView guid) {
  const auto text = codec::hex_encode(guid);
  const auto found = std::ranges::find(guids, text, &Guid::hex);
  return found == guids.end() ? CertificateType::other : found->type;
}

std::string_view guid_of(CertificateType type) {
  const auto found = std::ranges::find(guids, type, &Guid::type);
  return found == guids.end() ? "11111111111111111111111111111111" : found->hex;
}

Result<CertificateEntry> read_entry(ByteView table, ByteView guid, std::uint32_t offset, std::uint32_t size) {
  if (offset <= table.size() && size <= table.size() - offset) {
    return CertificateEntry{type_of(guid), to_bytes(table.subspan(offset, size))};
  }
  return fail(EvidenceError::device_failed, "the host's certificate table has " + std::to_string(table.size()) +
                                                " bytes, and an entry at " + std::to_string(offset) + " with " +
                                                std::to_string(size) + " bytes");
}

}  // namespace

Result<std::vector<CertificateEntry>> parse_certificate_table(ByteView table) {
  std::vector<CertificateEntry> out;
  ByteReader reader{table};
  while (reader.remaining() >= entry_size && out.size() < max_entries) {
    const auto guid = TRY(reader.bytes(guid_size, "guid"));
    const auto offset = TRY(reader.u32_le("offset"));
    const auto size = TRY(reader.u32_le("length"));
    if (std::ranges::all_of(guid, [](std::byte b) { return b == std::byte{0}; })) return out;
    out.push_back(TRY(read_entry(table, guid, offset, size)));
  }
  if (table.empty()) return out;
  return fail(EvidenceError::device_failed, "the host's certificate table does not end within 16 entries");
}

Bytes make_certificate_table(std::span<const CertificateEntry> certificates) {
  ByteWriter head;
  Bytes body;
  const auto head_size = (certificates.size() + 1) * entry_size;
  for (const auto& certificate : certificates) {
    head.bytes(codec::hex_decode(guid_of(certificate.type)).value_or(Bytes(guid_size)));
    head.u32_le(static_cast<std::uint32_t>(head_size + body.size()));
    head.u32_le(static_cast<std::uint32_t>(certificate.data.size()));
    body.insert(body.end(), certificate.data.begin(), certificate.data.end());
  }
  head.zeros(entry_size).bytes(body);
  auto out = head.take();
  out.resize((out.size() + page - 1) / page * page);
  return out;
}

}  // namespace coffer::evidence::snp
