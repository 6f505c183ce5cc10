#include "evidence/nitro/document.h"

#include <algorithm>

#include "evidence/cbor_fields.h"

namespace coffer::evidence::nitro {

namespace cbor = codec::cbor;

namespace {

// Bounds of the document's CDDL (attestation_process.md, section 3.1; keymeld-and-multi-agent.md C2).
constexpr std::uint64_t max_timestamp = 253'402'300'799'999;  // the last millisecond of the year 9999
constexpr SizeBounds certificate_size{1, 1024};
constexpr SizeBounds public_key_size{1, 1024};
constexpr SizeBounds user_data_size{0, 512};
constexpr SizeBounds nonce_size{0, 512};
constexpr SizeBounds module_id_size{1, 1024};
constexpr std::size_t max_pcrs = 32;
constexpr std::size_t max_bundle = 8;  // four in use: root, region, zone, instance

Result<std::map<unsigned, Bytes>> read_pcrs(const CborFields& fields) {
  const auto* value = fields.find("pcrs");
  const auto* map = value == nullptr ? nullptr : value->if_map();
  if (map == nullptr || map->empty() || map->size() > max_pcrs) {
    return fail(NitroError::bad_pcrs, "pcrs is expected to be a map of 1 to 32 registers");
  }
  std::map<unsigned, Bytes> out;
  for (const auto& [key, content] : *map) {
    const auto index = key.if_uint64();
    const auto* bytes = content.if_bytes();
    if (!index || *index >= max_pcrs || bytes == nullptr || bytes->size() != pcr_size) {
      return fail(NitroError::bad_pcrs, "a register is expected to have an index from 0 to 31 and 48 bytes, found " +
                                            (index ? "index " + std::to_string(*index) : "no index") + " and " +
                                            (bytes == nullptr ? "no" : std::to_string(bytes->size())) + " bytes");
    }
    out.emplace(static_cast<unsigned>(*index), *bytes);
  }
  if (!out.contains(0)) return fail(NitroError::bad_pcrs, "pcrs is expected to hold PCR0, which it lacks");
  return out;
}

Result<std::vector<Bytes>> read_bundle(const CborFields& fields) {
  const auto* value = fields.find("cabundle");
  const auto* array = value == nullptr ? nullptr : value->if_array();
  if (array == nullptr || array->empty() || array->size() > max_bundle) {
    return fields.bad("cabundle", "an array of 1 to 8 certificates",
                      array == nullptr ? "none" : std::to_string(array->size()));
  }
  std::vector<Bytes> out;
  for (const auto& entry : *array) out.push_back(TRY(fields.bytes(&entry, "cabundle's entry", certificate_size)));
  return out;
}

Result<> check_header(const codec::cose::Sign1& message) {
  const auto* header = message.protected_header.if_map();
  if (message.algorithm != crypto::SignatureAlgorithm::es384 || header->size() != 1) {
    return fail(NitroError::bad_header, "the protected header is expected to name ES384 (-35) and nothing else");
  }
  if (!message.unprotected_header.if_map()->empty()) {
    return fail(NitroError::bad_header, "the unprotected header is expected to be empty");
  }
  if (!message.detached) return {};
  return fail(NitroError::bad_header, "the document is expected to carry its payload, found it detached");
}

cbor::Value or_null(const std::optional<Bytes>& bytes) {
  return bytes ? cbor::Value{*bytes} : cbor::Value{};
}

}  // namespace

bool Payload::debug() const {
  const auto& pcr0 = pcrs.at(0);
  return std::ranges::all_of(pcr0, [](std::byte b) { return b == std::byte{0}; });
}

TimePoint Payload::timestamp() const {
  return TimePoint{Duration{static_cast<std::int64_t>(timestamp_ms)}};
}

Result<Payload> parse_payload(ByteView payload) {
  const auto value = cbor::parse(payload, {.max_size = max_document, .max_depth = 4, .max_items = 256});
  if (!value) return fail(NitroError::bad_payload, "the document's payload: " + value.error().message);
  const auto fields = TRY(CborFields::open(*value, NitroError::bad_payload, "the document's payload"));
  Payload out;
  out.module_id = TRY(fields.text(fields.find("module_id"), "module_id", module_id_size));
  out.digest = TRY(fields.text(fields.find("digest"), "digest", {0, 64}));
  if (out.digest != "SHA384") return fields.bad("digest", "\"SHA384\"", "\"" + out.digest + "\"");
  out.timestamp_ms = TRY(fields.number(fields.find("timestamp"), "timestamp", max_timestamp));
  out.pcrs = TRY(read_pcrs(fields));
  out.certificate = TRY(fields.bytes(fields.find("certificate"), "certificate", certificate_size));
  out.cabundle = TRY(read_bundle(fields));
  out.public_key = TRY(fields.optional_bytes(fields.find("public_key"), "public_key", public_key_size));
  out.user_data = TRY(fields.optional_bytes(fields.find("user_data"), "user_data", user_data_size));
  out.nonce = TRY(fields.optional_bytes(fields.find("nonce"), "nonce", nonce_size));
  return out;
}

Result<Document> parse_document(ByteView document) {
  if (document.empty() || document.size() > max_document) {
    return fail(NitroError::not_a_document, "an attestation document is expected to have 1 to " +
                                                std::to_string(max_document) + " bytes, found " +
                                                std::to_string(document.size()));
  }
  auto message = codec::cose::Sign1::parse(document);
  if (!message) return fail(NitroError::not_a_document, "the attestation document: " + message.error().message);
  TRY(check_header(*message));
  auto payload = TRY(parse_payload(message->payload));
  return Document{*std::move(message), std::move(payload)};
}

Bytes encode_payload(const Payload& payload) {
  cbor::Map pcrs;
  for (const auto& [index, value] : payload.pcrs) pcrs.emplace_back(index, value);
  cbor::Array bundle(payload.cabundle.begin(), payload.cabundle.end());
  return cbor::encode(cbor::Map{{"module_id", payload.module_id},
                                {"digest", payload.digest},
                                {"timestamp", payload.timestamp_ms},
                                {"pcrs", std::move(pcrs)},
                                {"certificate", payload.certificate},
                                {"cabundle", std::move(bundle)},
                                {"public_key", or_null(payload.public_key)},
                                {"user_data", or_null(payload.user_data)},
                                {"nonce", or_null(payload.nonce)}});
}

}  // namespace coffer::evidence::nitro
