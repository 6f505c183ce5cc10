#include "evidence/nitro/nsm_message.h"

#include "evidence/nitro/nsm_device.h"
#include "evidence/tee.h"

namespace coffer::evidence::nitro {

namespace cbor = codec::cbor;

namespace {

cbor::Value or_null(const std::optional<Bytes>& bytes) {
  return bytes ? cbor::Value{*bytes} : cbor::Value{};
}

std::unexpected<Error> module_failed(std::string_view what) {
  return fail(EvidenceError::device_failed, "the Nitro Secure Module answered " + std::string{what});
}

Result<cbor::Value> parse_response(ByteView response) {
  auto value = cbor::parse(response, {.max_size = max_nsm_response, .max_depth = 4, .max_items = 256});
  if (!value) return module_failed("with what is no response: " + value.error().message);
  if (const auto* error = value->find("Error")) {
    const auto* name = error->if_text();
    return module_failed("with the error " + (name == nullptr ? std::string{"of no name"} : name->substr(0, 64)));
  }
  return value;
}

// The content of the variant `name`.
Result<cbor::Value> parse_variant(ByteView response, std::string_view name) {
  const auto value = TRY(parse_response(response));
  if (const auto* content = value.find(name)) return *content;
  return module_failed("something other than " + std::string{name});
}

Result<Bytes> bytes_member(const cbor::Value& content, std::string_view name) {
  const auto* member = content.find(name);
  const auto* bytes = member == nullptr ? nullptr : member->if_bytes();
  if (bytes == nullptr || bytes->empty()) return module_failed("without " + std::string{name});
  return *bytes;
}

}  // namespace

Bytes encode_attestation_request(const AttestationRequest& request) {
  return cbor::encode(cbor::Map{{"Attestation", cbor::Map{{"user_data", or_null(request.user_data)},
                                                          {"nonce", or_null(request.nonce)},
                                                          {"public_key", or_null(request.public_key)}}}});
}

Bytes encode_describe_pcr(unsigned index) {
  return cbor::encode(cbor::Map{{"DescribePCR", cbor::Map{{"index", index}}}});
}

Bytes encode_extend_pcr(unsigned index, ByteView data) {
  return cbor::encode(cbor::Map{{"ExtendPCR", cbor::Map{{"index", index}, {"data", to_bytes(data)}}}});
}

Bytes encode_lock_pcr(unsigned index) {
  return cbor::encode(cbor::Map{{"LockPCR", cbor::Map{{"index", index}}}});
}

Result<Bytes> parse_attestation_response(ByteView response) {
  return bytes_member(TRY(parse_variant(response, "Attestation")), "document");
}

Result<PcrState> parse_describe_pcr_response(ByteView response) {
  const auto content = TRY(parse_variant(response, "DescribePCR"));
  const auto* lock = content.find("lock");
  const auto* locked = lock == nullptr ? nullptr : std::get_if<bool>(&lock->data());
  if (locked == nullptr) return module_failed("without lock");
  auto value = TRY(bytes_member(content, "data"));
  return PcrState{*locked, std::move(value)};
}

Result<Bytes> parse_extend_pcr_response(ByteView response) {
  return bytes_member(TRY(parse_variant(response, "ExtendPCR")), "data");
}

Result<> parse_lock_pcr_response(ByteView response) {
  const auto value = TRY(parse_response(response));
  const auto* name = value.if_text();
  if (name != nullptr && *name == "LockPCR") return {};
  return module_failed("something other than LockPCR");
}

}  // namespace coffer::evidence::nitro
