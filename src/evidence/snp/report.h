// The attestation report of SEV-SNP: AMD's "SEV Secure Nested Paging Firmware ABI Specification", publication 56860,
// section 7.3, table ATTESTATION_REPORT. Two forms: 1184 bytes as the firmware gives them, and the JSON that upstream's
// guests send. Both hold the same facts: reserved fields must be zero, and so no byte is lost on the way.
#pragma once

#include <array>
#include <optional>

#include "base/bytes.h"
#include "codec/json.h"
#include "evidence/snp/error.h"
#include "evidence/snp/product.h"

namespace coffer::evidence::snp {

inline constexpr std::size_t report_size = 0x4a0;  // 1184
inline constexpr std::size_t signed_size = 0x2a0;  // what SIGNATURE covers
inline constexpr unsigned oldest_version = 2;
inline constexpr unsigned newest_version = 5;

// TCB_VERSION (56860 section 2.2): the security version of each part of the firmware.
struct TcbVersion {
  std::optional<std::uint8_t> fmc{};  // from Turin on
  std::uint8_t bootloader = 0;
  std::uint8_t tee = 0;
  std::uint8_t snp = 0;
  std::uint8_t microcode = 0;
  friend bool operator==(const TcbVersion&, const TcbVersion&) = default;
};
std::string to_text(const TcbVersion& tcb);  // "bootloader 3, tee 0, snp 8, microcode 115"

struct FirmwareVersion {
  std::uint8_t major = 0;
  std::uint8_t minor = 0;
  std::uint8_t build = 0;
  friend bool operator==(const FirmwareVersion&, const FirmwareVersion&) = default;
};

template <std::size_t size>
using Field = std::array<std::byte, size>;

// r and s, little-endian (56860 section 10.2, ECDSA P-384).
struct Signature {
  Field<72> r{};
  Field<72> s{};
  friend bool operator==(const Signature&, const Signature&) = default;
};

// KEY_INFO.SIGNING_KEY.
enum class SigningKey { vcek = 0, vlek = 1, none = 7 };
std::string_view name_of(SigningKey key);

struct Report {
  std::uint32_t version = 0;
  std::uint32_t guest_svn = 0;
  std::uint64_t policy = 0;
  Field<16> family_id{};
  Field<16> image_id{};
  std::uint32_t vmpl = 0;
  std::uint32_t sig_algo = 0;
  TcbVersion current_tcb{};
  std::uint64_t plat_info = 0;
  std::uint32_t key_info = 0;
  Field<64> report_data{};
  Field<48> measurement{};
  Field<32> host_data{};
  Field<48> id_key_digest{};
  Field<48> author_key_digest{};
  Field<32> report_id{};
  Field<32> report_id_ma{};
  TcbVersion reported_tcb{};                   // what the signing key was derived from
  std::optional<std::uint8_t> cpuid_fam_id{};  // from version 3 on, these three
  std::optional<std::uint8_t> cpuid_mod_id{};
  std::optional<std::uint8_t> cpuid_step{};
  Field<64> chip_id{};  // zeros: the platform's owner masks it
  TcbVersion committed_tcb{};
  FirmwareVersion current{};
  FirmwareVersion committed{};
  TcbVersion launch_tcb{};
  std::optional<std::uint64_t> launch_mit_vector{};  // from version 5 on, these two
  std::optional<std::uint64_t> current_mit_vector{};
  Signature signature{};

  // Exactly report_size bytes. bad_report, unsupported_version, reserved_not_zero.
  static Result<Report> parse(ByteView raw);
  // The JSON form. Absent optional members are as null, unknown ones are passed over, as upstream does; a member that
  // the version does not have is bad_report, because nothing signs it. Shape: EvidenceError::malformed.
  static Result<Report> from_json(const codec::json::Value& value);

  Bytes encode() const;  // report_size bytes
  codec::json::Object to_json() const;

  // The version's fields are there and no others, and all TCB versions have the layout of one processor.
  Result<> check_shape() const;

  // GUEST_POLICY (56860 section 4.3).
  std::uint8_t abi_minor() const { return static_cast<std::uint8_t>(policy); }
  std::uint8_t abi_major() const { return static_cast<std::uint8_t>(policy >> 8); }
  bool smt_allowed() const { return bit(policy, 16); }
  bool migration_agent_allowed() const { return bit(policy, 18); }
  bool debug_allowed() const { return bit(policy, 19); }
  bool single_socket() const { return bit(policy, 20); }
  // PLATFORM_INFO.
  bool smt_enabled() const { return bit(plat_info, 0); }
  bool tsme_enabled() const { return bit(plat_info, 1); }
  // KEY_INFO. Values that the specification reserves are unsupported_algorithm.
  Result<SigningKey> signing_key() const;
  bool chip_key_masked() const { return bit(key_info, 1); }
  bool chip_id_masked() const { return chip_id == Field<64>{}; }
  // Of versions from 3 on; nothing on version 2, whose reports do not name their processor.
  std::optional<Product> product() const;
  // Whether the TCB versions have Turin's layout.
  bool turin_layout() const { return reported_tcb.fmc.has_value(); }

  friend bool operator==(const Report&, const Report&) = default;

 private:
  static bool bit(std::uint64_t word, unsigned index) { return ((word >> index) & 1U) != 0; }
};

// Every field by name with its bits spelled out, bytes in hex: for people.
codec::json::Object describe(const Report& report);

}  // namespace coffer::evidence::snp
