#include "evidence/csv/report.h"

#include <algorithm>

#include "base/byte_reader.h"
#include "codec/base64.h"

namespace coffer::evidence::csv {

namespace json = codec::json;

namespace {

constexpr std::string_view extension_magic{"ATTESTATION_EXT\0", 16};

Result<Bytes> take(ByteReader& reader, std::size_t size, std::string_view what) {
  return to_bytes(TRY(reader.bytes(size, what)));
}

Result<unsigned> version_of(ByteView magic, std::uint64_t flags) {
  const bool zero = std::ranges::all_of(magic, [](std::byte b) { return b == std::byte{0}; });
  if (magic.size() == extension_magic.size()) {
    if (zero) return 1U;
    if (as_text(magic) == extension_magic && flags <= 1) return flags == 1 ? 2U : 1U;
  }
  return fail(EvidenceError::malformed,
              "a CSV report is expected to have the magic of its extension or none, and "
              "flags 0 or 1, found " +
                  codec::hex_encode(magic) + " and " + std::to_string(flags));
}

Result<Report> read_common(ByteReader& reader) {
  Report out;
  out.user_pubkey_digest = TRY(take(reader, 32, "user_pubkey_digest"));
  out.vm_id = TRY(take(reader, 16, "vm_id"));
  out.vm_version = TRY(take(reader, 16, "vm_version"));
  out.report_data = TRY(take(reader, 64, "report_data"));
  out.mnonce = TRY(take(reader, 16, "mnonce"));
  out.measure = TRY(take(reader, 32, "measure"));
  out.policy = TRY(reader.u32_le("policy"));
  out.sig_usage = TRY(reader.u32_le("sig_usage"));
  out.sig_algo = TRY(reader.u32_le("sig_algo"));
  return out;
}

void unmask(Bytes& field, std::uint32_t mask) {
  for (std::size_t i = 0; i < field.size(); ++i) field[i] ^= static_cast<std::byte>(mask >> (8 * (i % 4)));
}

// Every word of the older report is xored with the firmware's nonce.
Result<Report> read_masked(ByteReader& reader) {
  auto out = TRY(read_common(reader));
  out.version = 1;
  out.anonce = TRY(reader.u32_le("anonce"));
  out.signature = TRY(take(reader, 144, "signature"));
  for (auto* field :
       {&out.user_pubkey_digest, &out.vm_id, &out.vm_version, &out.report_data, &out.mnonce, &out.measure}) {
    unmask(*field, out.anonce);
  }
  for (auto* word : {&out.policy, &out.sig_usage, &out.sig_algo}) *word ^= out.anonce;
  return out;
}

Result<Report> read_extended(ByteReader& reader) {
  auto out = TRY(read_common(reader));
  out.version = 2;
  out.build = TRY(reader.u32_le("build"));
  out.rtmr_version = TRY(reader.u16_le("rtmr_version"));
  TRY(reader.skip(14, "reserved0"));
  for (auto& rtmr : out.rtmrs) rtmr = TRY(take(reader, 32, "rtmr"));
  TRY(reader.skip(656, "reserved1"));
  out.signature = TRY(take(reader, 144, "signature"));
  return out;
}

json::Object describe_policy(std::uint32_t policy) {
  constexpr std::string_view bits[] = {"nodbg", "noks", "es", "nosend", "domain", "csv", "csv3", "asid_reuse"};
  json::Object out;
  for (std::size_t i = 0; i < std::size(bits); ++i) out.append(std::string{bits[i]}, policy >> i & 1U);
  out.append("hsk_version", policy >> 8 & 0xfU);
  out.append("cek_version", policy >> 12 & 0xfU);
  out.append("api_major", policy >> 16 & 0xffU);
  out.append("api_minor", policy >> 24 & 0xffU);
  return out;
}

}  // namespace

Result<Report> parse_report(ByteView page, ByteView magic, std::uint64_t flags) {
  const auto version = TRY(version_of(magic, flags));
  if (page.size() != report_page) {
    return fail(EvidenceError::malformed,
                "a CSV report is expected to have 4096 bytes, found " + std::to_string(page.size()));
  }
  ByteReader reader{page};
  return version == 1 ? read_masked(reader) : read_extended(reader);
}

json::Object describe(const Report& report) {
  json::Object out{{"version", std::to_string(report.version)},
                   {"policy", describe_policy(report.policy)},
                   {"user_pubkey_digest", codec::hex_encode(report.user_pubkey_digest)},
                   {"vm_id", codec::hex_encode(report.vm_id)},
                   {"vm_version", codec::hex_encode(report.vm_version)},
                   {"report_data", codec::hex_encode(report.report_data)},
                   {"mnonce", codec::hex_encode(report.mnonce)},
                   {"measure", codec::hex_encode(report.measure)},
                   {"sig_usage", report.sig_usage},
                   {"sig_algo", report.sig_algo},
                   {"signature", codec::hex_encode(report.signature)}};
  if (report.version == 1) {
    out.append("anonce", report.anonce);
    return out;
  }
  out.append("build", report.build);
  out.append("rtmr_version", report.rtmr_version);
  for (std::size_t i = 0; i < report.rtmrs.size(); ++i) {
    out.append("rtmr" + std::to_string(i), codec::hex_encode(report.rtmrs[i]));
  }
  return out;
}

}  // namespace coffer::evidence::csv
