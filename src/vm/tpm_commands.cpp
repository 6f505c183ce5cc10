#include "vm/tpm_commands.h"

#include <array>

#include "base/byte_reader.h"
#include "codec/base64.h"

namespace coffer::vm {

namespace {

// Part 2, sections 6.5.2 (commands), 6.9 (tags), 7.4 (permanent handles) and 6.3 (algorithms).
constexpr std::uint16_t no_sessions = 0x8001;
constexpr std::uint16_t with_sessions = 0x8002;
constexpr std::uint32_t command_evict_control = 0x120;
constexpr std::uint32_t command_pcr_allocate = 0x12b;
constexpr std::uint32_t command_create_primary = 0x131;
constexpr std::uint32_t command_shutdown = 0x145;
constexpr std::uint32_t owner = 0x40000001;
constexpr std::uint32_t password_session = 0x40000009;
constexpr std::uint32_t endorsement = 0x4000000b;
constexpr std::uint32_t platform = 0x4000000c;
constexpr std::uint16_t rsa = 0x0001, sha1 = 0x0004, sha256 = 0x000b, sha384 = 0x000c, sha512 = 0x000d, null = 0x0010,
                        rsassa = 0x0014;
// TPMA_OBJECT (section 8.3): fixedTPM, fixedParent, sensitiveDataOrigin, userWithAuth, restricted, sign.
constexpr std::uint32_t attestation_key_attributes = 0x00050072;

Bytes command(std::uint16_t tag, std::uint32_t code, ByteView rest) {
  ByteWriter out;
  out.u16_be(tag).u32_be(static_cast<std::uint32_t>(10 + rest.size())).u32_be(code).bytes(rest);
  return out.take();
}

// One empty password, which is what each hierarchy of a new TPM has.
void add_authorization(ByteWriter& out) {
  out.u32_be(9).u32_be(password_session).u16_be(0).u8(0).u16_be(0);
}

void add_sized(ByteWriter& out, const Bytes& content) {
  out.u16_be(static_cast<std::uint16_t>(content.size())).bytes(content);
}

Result<ByteReader> read_response(ByteView response, std::string_view what) {
  ByteReader reader{response};
  TRY(reader.skip(6, "TPM response header"));
  const auto code = TRY(reader.u32_be("TPM response code"));
  if (code == 0) return reader;
  return fail(VmError::bad_tpm, "the TPM refuses to " + std::string{what} + " with response code 0x" +
                                    codec::hex_encode(response.subspan(6, 4)));
}

Bytes attestation_key_template() {
  ByteWriter out;
  out.u16_be(rsa).u16_be(sha256).u32_be(attestation_key_attributes).u16_be(0);
  out.u16_be(null).u16_be(rsassa).u16_be(sha256).u16_be(2048).u32_be(0).u16_be(0);
  return out.take();
}

struct CreatedKey {
  std::uint32_t handle;
  Bytes modulus;
};

Result<CreatedKey> read_created_key(ByteReader reader) {
  CreatedKey out{};
  out.handle = TRY(reader.u32_be("handle"));
  // Parameter size and outPublic's own; then the template's fields again, up to the modulus.
  TRY(reader.skip(4 + 2, "sizes"));
  TRY(reader.skip(attestation_key_template().size() - 2, "public area"));
  out.modulus = to_bytes(TRY(reader.bytes(TRY(reader.u16_be("modulus size")), "modulus")));
  return out;
}

}  // namespace

Result<> allocate_sha256_registers(const TpmChannel& tpm) {
  ByteWriter out;
  out.u32_be(platform);
  add_authorization(out);
  constexpr std::array banks{sha1, sha256, sha384, sha512};
  out.u32_be(banks.size());
  for (const auto bank : banks) {
    const std::uint8_t all = bank == sha256 ? 0xff : 0;
    out.u16_be(bank).u8(3).u8(all).u8(all).u8(all);
  }
  const auto response = TRY(tpm(command(with_sessions, command_pcr_allocate, out.view())));
  TRY(read_response(response, "allocate registers"));
  return {};
}

Result<crypto::PublicKey> make_attestation_key(const TpmChannel& tpm) {
  ByteWriter create;
  create.u32_be(endorsement);
  add_authorization(create);
  add_sized(create, Bytes(4));  // neither password nor data
  add_sized(create, attestation_key_template());
  create.u16_be(0).u32_be(0);
  const auto response = TRY(tpm(command(with_sessions, command_create_primary, create.view())));
  const auto key = TRY(read_created_key(TRY(read_response(response, "make an attestation key"))));
  ByteWriter keep;
  keep.u32_be(owner).u32_be(key.handle);
  add_authorization(keep);
  keep.u32_be(attestation_key_handle);
  const auto kept = TRY(tpm(command(with_sessions, command_evict_control, keep.view())));
  TRY(read_response(kept, "keep the attestation key"));
  constexpr std::array exponent{std::byte{1}, std::byte{0}, std::byte{1}};
  return crypto::PublicKey::from_rsa_components(key.modulus, exponent);
}

Result<> shut_down(const TpmChannel& tpm) {
  const auto response = TRY(tpm(command(no_sessions, command_shutdown, Bytes(2))));
  TRY(read_response(response, "shut down"));
  return {};
}

}  // namespace coffer::vm
