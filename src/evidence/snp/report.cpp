#include "evidence/snp/report.h"

#include <algorithm>

#include "base/byte_reader.h"

namespace coffer::evidence::snp {

namespace {

// Where the reader and the writer must know the version before they reach its neighbours.
constexpr std::size_t cpuid_family_offset = 0x188;
constexpr std::size_t chip_id_offset = 0x1a0;

bool all_zero(ByteView bytes) {
  return std::ranges::all_of(bytes, [](std::byte b) { return b == std::byte{0}; });
}

// A version 2 report does not name its processor. Turin's chip identifiers are 8 bytes long and then zero; those of
// the generations before fill all 64. A masked one tells nothing: then it is the older layout, because Turin's firmware
// never gave version 2.
bool is_turins(ByteView chip_id) {
  return !all_zero(chip_id.first(8)) && all_zero(chip_id.subspan(8));
}

bool is_turin_layout(ByteView raw, std::uint32_t version) {
  if (version >= 3) return has_fmc(static_cast<std::uint8_t>(raw[cpuid_family_offset]));
  return is_turins(raw.subspan(chip_id_offset, 64));
}

class Decoder {
 public:
  Decoder(ByteView raw, bool turin) : reader_(raw), turin_(turin) {}

  Result<> reserved(std::size_t size, std::string_view where) {
    const auto offset = reader_.offset();
    if (all_zero(TRY(reader_.bytes(size, where)))) return {};
    return fail(SnpError::reserved_not_zero, "the " + std::to_string(size) + " reserved bytes at offset " +
                                                 std::to_string(offset) + " (" + std::string{where} +
                                                 ") are expected to be zero");
  }
  template <std::size_t size>
  Result<> field(Field<size>& out, std::string_view what) {
    std::ranges::copy(TRY(reader_.bytes(size, what)), out.begin());
    return {};
  }
  Result<> u32(std::uint32_t& out, std::string_view what) { return assign(out, reader_.u32_le(what)); }
  Result<> u64(std::uint64_t& out, std::string_view what) { return assign(out, reader_.u64_le(what)); }
  template <class T>
  Result<> u8(T& out, std::string_view what) {
    return assign(out, reader_.u8(what));
  }
  Result<> vector(std::optional<std::uint64_t>& out, std::string_view what) {
    return assign(out, reader_.u64_le(what));
  }

  // 56860 section 2.2, table TCB_VERSION, in its two forms.
  Result<> tcb(TcbVersion& out, std::string_view what) {
    if (turin_) TRY(u8(out.fmc, what));
    TRY(u8(out.bootloader, what));
    TRY(u8(out.tee, what));
    if (turin_) TRY(u8(out.snp, what));
    TRY(reserved(turin_ ? 3 : 4, what));
    if (!turin_) TRY(u8(out.snp, what));
    return u8(out.microcode, what);
  }
  Result<> firmware(FirmwareVersion& out, std::string_view what) {
    TRY(u8(out.build, what));
    TRY(u8(out.minor, what));
    return u8(out.major, what);
  }

 private:
  template <class T, class U>
  static Result<> assign(T& out, Result<U> read) {
    out = TRY(std::move(read));
    return {};
  }

  ByteReader reader_;
  bool turin_;
};

Result<> decode_launch(Decoder& in, Report& r) {
  TRY(in.u32(r.version, "version"));
  TRY(in.u32(r.guest_svn, "guest_svn"));
  TRY(in.u64(r.policy, "policy"));
  TRY(in.field(r.family_id, "family_id"));
  TRY(in.field(r.image_id, "image_id"));
  TRY(in.u32(r.vmpl, "vmpl"));
  TRY(in.u32(r.sig_algo, "sig_algo"));
  TRY(in.tcb(r.current_tcb, "current_tcb"));
  TRY(in.u64(r.plat_info, "plat_info"));
  TRY(in.u32(r.key_info, "key_info"));
  return in.reserved(4, "after key_info");
}

Result<> decode_identity(Decoder& in, Report& r) {
  TRY(in.field(r.report_data, "report_data"));
  TRY(in.field(r.measurement, "measurement"));
  TRY(in.field(r.host_data, "host_data"));
  TRY(in.field(r.id_key_digest, "id_key_digest"));
  TRY(in.field(r.author_key_digest, "author_key_digest"));
  TRY(in.field(r.report_id, "report_id"));
  return in.field(r.report_id_ma, "report_id_ma");
}

Result<> decode_platform(Decoder& in, Report& r) {
  TRY(in.tcb(r.reported_tcb, "reported_tcb"));
  if (r.version >= 3) {
    TRY(in.u8(r.cpuid_fam_id, "cpuid_fam_id"));
    TRY(in.u8(r.cpuid_mod_id, "cpuid_mod_id"));
    TRY(in.u8(r.cpuid_step, "cpuid_step"));
  }
  TRY(in.reserved(r.version >= 3 ? 21 : 24, "before chip_id"));
  TRY(in.field(r.chip_id, "chip_id"));
  TRY(in.tcb(r.committed_tcb, "committed_tcb"));
  TRY(in.firmware(r.current, "current version"));
  TRY(in.reserved(1, "after current version"));
  TRY(in.firmware(r.committed, "committed version"));
  TRY(in.reserved(1, "after committed version"));
  return in.tcb(r.launch_tcb, "launch_tcb");
}

Result<> decode_end(Decoder& in, Report& r) {
  if (r.version >= 5) {
    TRY(in.vector(r.launch_mit_vector, "launch_mit_vector"));
    TRY(in.vector(r.current_mit_vector, "current_mit_vector"));
  }
  TRY(in.reserved(r.version >= 5 ? 152 : 168, "before the signature"));
  TRY(in.field(r.signature.r, "signature r"));
  TRY(in.field(r.signature.s, "signature s"));
  return in.reserved(report_size - signed_size - 144, "after the signature");
}

void write_tcb(ByteWriter& out, const TcbVersion& tcb) {
  if (tcb.fmc) {
    out.u8(*tcb.fmc).u8(tcb.bootloader).u8(tcb.tee).u8(tcb.snp).zeros(3).u8(tcb.microcode);
  } else {
    out.u8(tcb.bootloader).u8(tcb.tee).zeros(4).u8(tcb.snp).u8(tcb.microcode);
  }
}

void write_firmware(ByteWriter& out, const FirmwareVersion& version) {
  out.u8(version.build).u8(version.minor).u8(version.major);
}

void write_platform(ByteWriter& out, const Report& r) {
  write_tcb(out, r.reported_tcb);
  if (r.version >= 3) {
    out.u8(r.cpuid_fam_id.value_or(0)).u8(r.cpuid_mod_id.value_or(0)).u8(r.cpuid_step.value_or(0)).zeros(21);
  } else {
    out.zeros(24);
  }
  out.bytes(r.chip_id);
  write_tcb(out, r.committed_tcb);
  write_firmware(out, r.current);
  out.zeros(1);
  write_firmware(out, r.committed);
  out.zeros(1);
  write_tcb(out, r.launch_tcb);
}

Result<> check_version(std::uint32_t version) {
  if (version >= oldest_version && version <= newest_version) return {};
  return fail(SnpError::unsupported_version,
              "reports of versions 2 to 5 are read here, this one is of version " + std::to_string(version));
}

}  // namespace

Result<Report> Report::parse(ByteView raw) {
  if (raw.size() != report_size) {
    return fail(SnpError::bad_report, "a report is expected to have " + std::to_string(report_size) + " bytes, found " +
                                          std::to_string(raw.size()));
  }
  const auto version = TRY(ByteReader{raw}.u32_le("version"));
  TRY(check_version(version));
  Decoder in{raw, is_turin_layout(raw, version)};
  Report out;
  TRY(decode_launch(in, out));
  TRY(decode_identity(in, out));
  TRY(decode_platform(in, out));
  TRY(decode_end(in, out));
  return out;
}

Bytes Report::encode() const {
  ByteWriter out;
  out.u32_le(version).u32_le(guest_svn).u64_le(policy).bytes(family_id).bytes(image_id).u32_le(vmpl).u32_le(sig_algo);
  write_tcb(out, current_tcb);
  out.u64_le(plat_info).u32_le(key_info).zeros(4);
  out.bytes(report_data).bytes(measurement).bytes(host_data).bytes(id_key_digest).bytes(author_key_digest);
  out.bytes(report_id).bytes(report_id_ma);
  write_platform(out, *this);
  if (version >= 5) out.u64_le(launch_mit_vector.value_or(0)).u64_le(current_mit_vector.value_or(0));
  out.zeros(version >= 5 ? 152 : 168).bytes(signature.r).bytes(signature.s);
  return out.zeros(report_size - signed_size - 144).take();
}

Result<> Report::check_shape() const {
  TRY(check_version(version));
  const bool cpuid = cpuid_fam_id && cpuid_mod_id && cpuid_step;
  const bool any_cpuid = cpuid_fam_id || cpuid_mod_id || cpuid_step;
  if (version >= 3 ? !cpuid : any_cpuid) {
    return fail(SnpError::bad_report, "a report of version " + std::to_string(version) + " is expected " +
                                          (version >= 3 ? "to have" : "not to have") + " all of the CPUID fields");
  }
  const bool vectors = launch_mit_vector && current_mit_vector;
  const bool any_vector = launch_mit_vector || current_mit_vector;
  if (version >= 5 ? !vectors : any_vector) {
    return fail(SnpError::bad_report, "a report of version " + std::to_string(version) + " is expected " +
                                          (version >= 5 ? "to have" : "not to have") + " both mitigation vectors");
  }
  const bool turin = cpuid ? has_fmc(*cpuid_fam_id) : is_turins(chip_id);
  for (const auto* tcb : {&current_tcb, &reported_tcb, &committed_tcb, &launch_tcb}) {
    if (tcb->fmc.has_value() == turin) continue;
    return fail(SnpError::bad_report, std::string{"the TCB versions of this processor are expected "} +
                                          (turin ? "to have" : "not to have") + " an fmc, one of them differs");
  }
  return {};
}

Result<SigningKey> Report::signing_key() const {
  const unsigned key = (key_info >> 2) & 7U;
  if (key == 0 || key == 1 || key == 7) return static_cast<SigningKey>(key);
  return fail(SnpError::unsupported_algorithm,
              "the signing key is expected to be 0 (VCEK), 1 (VLEK) or 7 (none), found " + std::to_string(key));
}

std::optional<Product> Report::product() const {
  if (!cpuid_fam_id || !cpuid_mod_id) return std::nullopt;
  return product_of_cpuid(*cpuid_fam_id, *cpuid_mod_id);
}

std::string to_text(const TcbVersion& tcb) {
  return (tcb.fmc ? "fmc " + std::to_string(*tcb.fmc) + ", " : "") + "bootloader " + std::to_string(tcb.bootloader) +
         ", tee " + std::to_string(tcb.tee) + ", snp " + std::to_string(tcb.snp) + ", microcode " +
         std::to_string(tcb.microcode);
}

std::string_view name_of(SigningKey key) {
  switch (key) {
    case SigningKey::vcek: return "VCEK";
    case SigningKey::vlek: return "VLEK";
    case SigningKey::none: return "none";
  }
  return "unknown";
}

}  // namespace coffer::evidence::snp
