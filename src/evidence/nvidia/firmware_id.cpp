#include "evidence/nvidia/firmware_id.h"

#include "codec/der.h"

namespace coffer::evidence::nvidia {

namespace der = codec::der;

namespace {

constexpr std::uint8_t sequence_tag = 0x30;
constexpr std::uint8_t integer_tag = 0x02;
constexpr std::uint8_t octet_string_tag = 0x04;
constexpr std::uint8_t oid_tag = 0x06;
constexpr std::uint8_t firmware_ids_tag = 0xa6;  // DiceTcbInfo.fwids, [6] IMPLICIT
constexpr std::string_view sha384_oid = "2.16.840.1.101.3.4.2.2";
constexpr std::size_t digest_size = 48;

// FWID ::= SEQUENCE { hashAlg OBJECT IDENTIFIER, digest OCTET STRING }
Result<Bytes> parse_digest(der::Reader& reader) {
  der::Reader fields {
    TRY(reader.expect(sequence_tag, "the firmware id"))
    .content
  };
  const auto algorithm = TRY(der::oid_text(TRY(fields.expect(oid_tag, "its algorithm")).content));
  const auto digest = TRY(fields.expect(octet_string_tag, "its digest"))
  .content;
  TRY(fields.expect_end("the firmware id"));
  if (algorithm == sha384_oid && digest.size() == digest_size) return to_bytes(digest);
  return fail(NvidiaError::bad_firmware_id, "a digest of SHA-384 (" + std::string{sha384_oid} +
                                                ", 48 bytes) is expected, found " + algorithm + " of " +
                                                std::to_string(digest.size()) + " bytes");
}

// The content of the one SEQUENCE that an extension is.
Result<ByteView> content_of(ByteView extension) {
  der::Reader outer{extension};
  const auto content = TRY(outer.expect(sequence_tag, "the extension"))
  .content;
  TRY(outer.expect_end("the extension"));
  return content;
}

Result<FirmwareId> read_composite(ByteView extension) {
  der::Reader fields {
    TRY(content_of(extension))
  };
  TRY(fields.expect(integer_tag, "the version"));
  const auto device_key = TRY(fields.expect(sequence_tag, "the device key"))
  .whole;
  auto digest = TRY(parse_digest(fields));
  TRY(fields.expect_end("the composite device id"));
  return FirmwareId{std::move(digest), to_bytes(device_key)};
}

Result<FirmwareId> read_tcb_info(ByteView extension) {
  der::Reader fields {
    TRY(content_of(extension))
  };
  std::uint8_t last = 0;
  std::optional<FirmwareId> out;
  while (!fields.at_end()) {
    const auto field = TRY(fields.next());
    // Members are optional but in their order, each once.
    const auto number = static_cast<std::uint8_t>(field.tag & 0xdfU);  // without the bit of constructed ones
    if (number <= last) return fail(NvidiaError::bad_firmware_id, "its members are out of their order");
    last = number;
    if (field.tag != firmware_ids_tag) continue;
    der::Reader ids{field.content};
    out = FirmwareId {
      TRY(parse_digest(ids))
    };
  }
  if (out) return *std::move(out);
  return fail(NvidiaError::bad_firmware_id, "no firmware id is in it");
}

Result<FirmwareId> named(Result<FirmwareId> read, std::string_view oid) {
  if (read) return read;
  return fail(NvidiaError::bad_firmware_id,
              "the firmware id in the GPU's certificate (" + std::string{oid} + "): " + read.error().message);
}

Bytes encode_digest(ByteView digest) {
  return der::encode_sequence({*der::encode_oid(sha384_oid), der::encode_octet_string(digest)});
}

}  // namespace

Result<FirmwareId> parse_composite_device_id(ByteView extension) {
  return named(read_composite(extension), composite_device_id_oid);
}

Result<FirmwareId> parse_tcb_info(ByteView extension) {
  return named(read_tcb_info(extension), tcb_info_oid);
}

Result<FirmwareId> read_firmware_id(const crypto::Certificate& certificate) {
  const auto composite = certificate.extension(composite_device_id_oid);
  const auto tcb_info = certificate.extension(tcb_info_oid);
  if (composite && !tcb_info) return parse_composite_device_id(*composite);
  if (tcb_info && !composite) return parse_tcb_info(*tcb_info);
  return fail(NvidiaError::bad_firmware_id, "the certificate \"" + certificate.subject() +
                                                "\" is expected to say once which firmware its key belongs to (" +
                                                std::string{composite_device_id_oid} + " or " +
                                                std::string{tcb_info_oid} + "), found " +
                                                (composite ? "both" : "neither"));
}

Bytes encode_composite_device_id(ByteView device_key, ByteView digest) {
  return der::encode_sequence({der::encode_integer(1), device_key, encode_digest(digest)});
}

Bytes encode_tcb_info(ByteView digest) {
  constexpr std::uint8_t vendor_tag = 0x80;
  constexpr std::uint8_t layer_tag = 0x84;
  const auto ids = concat({encode_digest(digest), encode_digest(Bytes(digest_size))});
  return der::encode_sequence({der::encode(vendor_tag, as_bytes("NVIDIA")), der::encode(layer_tag, Bytes{std::byte{1}}),
                               der::encode(firmware_ids_tag, ids)});
}

}  // namespace coffer::evidence::nvidia
