#include "evidence/nvidia/evidence.h"

#include "codec/base64.h"
#include "evidence/json_bytes.h"

namespace coffer::evidence::nvidia {

namespace json = codec::json;

namespace {

constexpr std::string_view what = "NVIDIA device";
constexpr std::size_t longest_uuid = 128;
constexpr std::size_t max_pem = 64U << 10;

std::unexpected<Error> malformed(const std::string& message) {
  return fail(EvidenceError::malformed, message);
}

Result<std::string_view> text_member(const json::Object& device, std::string_view key, std::size_t longest) {
  const auto text = json::string_member(device, key, what);
  if (!text) return malformed(text.error().message);
  if (text->size() <= longest) return *text;
  return malformed(std::string{what} + "." + std::string{key} + " is expected to have at most " +
                   std::to_string(longest) + " characters, found " + std::to_string(text->size()));
}

// Upstream's clients wrote hex, then base64; no report reads as both.
Result<Bytes> report_bytes(const json::Object& device) {
  const auto text = TRY(text_member(device, "evidence", 2 * max_report));
  if (auto bytes = codec::hex_decode(text)) return bytes;
  auto bytes = codec::base64_decode_lenient(text);
  if (bytes) return bytes;
  return malformed(std::string{what} + ".evidence is expected to be hex or base64: " + bytes.error().message);
}

Result<Bytes> certificates(const json::Object& device) {
  const auto text = TRY(text_member(device, "certificate", 2 * max_pem));
  auto pem = codec::base64_decode_lenient(text);
  if (!pem) return malformed(std::string{what} + ".certificate: " + pem.error().message);
  return pem;
}

Result<std::string> uuid_of(const json::Object& device) {
  const auto uuid = json::optional_string_member(device, "uuid", what);
  if (!uuid) return malformed(uuid.error().message);
  return uuid->value_or("unknown").substr(0, longest_uuid);
}

Result<Device> parse_device(const json::Value& value) {
  const auto* device = value.if_object();
  if (device == nullptr) return malformed("an NVIDIA device is expected to be an object");
  const auto architecture = TRY(parse_architecture(TRY(text_member(*device, "arch", max_pem))));
  auto uuid = TRY(uuid_of(*device));
  auto bytes = TRY(report_bytes(*device));
  auto chain = TRY(certificates(*device));
  auto report = TRY(parse_report(bytes));
  return Device{architecture, std::move(uuid), std::move(report), std::move(bytes), std::move(chain)};
}

}  // namespace

Result<std::vector<crypto::Certificate>> parse_certificates(ByteView pem) {
  auto chain = crypto::Certificate::chain_from_pem(as_text(pem));
  if (!chain) return fail(NvidiaError::bad_certificate, "the GPU's certificates: " + chain.error().message);
  if (chain->size() <= max_certificates) return chain;
  return fail(NvidiaError::bad_certificate, "at most " + std::to_string(max_certificates) +
                                                " certificates of a GPU are expected, found " +
                                                std::to_string(chain->size()));
}

Result<std::vector<Device>> parse_evidence(const json::Value& evidence) {
  const auto* list = evidence.find("device_evidence_list");
  const auto* array = list == nullptr ? nullptr : list->if_array();
  if (array == nullptr || array->empty() || array->size() > max_devices) {
    return malformed("NVIDIA evidence is expected to hold device_evidence_list with 1 to " +
                     std::to_string(max_devices) + " devices, found " +
                     (array == nullptr ? "none" : std::to_string(array->size())));
  }
  std::vector<Device> out;
  for (const auto& each : *array) {
    auto device = parse_device(each);
    if (!device) return fail(std::move(device).error().with("device", std::to_string(out.size())));
    out.push_back(*std::move(device));
  }
  return out;
}

json::Value evidence_of(std::span<const json::Value> devices) {
  return json::Object{{"device_evidence_list", json::Array(devices.begin(), devices.end())}};
}

json::Value device_json(Architecture architecture, std::string_view uuid, ByteView report, std::string_view pem) {
  std::string arch{name_of(architecture)};
  for (auto& c : arch) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - ('a' - 'A')) : c;
  return json::Object{{"arch", arch},
                      {"uuid", uuid},
                      {"evidence", codec::base64_encode(report)},
                      {"certificate", codec::base64_encode(as_bytes(pem))}};
}

}  // namespace coffer::evidence::nvidia
