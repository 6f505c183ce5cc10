#include "evidence/nvidia_dpu/nvidia_dpu.h"

#include "codec/base64.h"
#include "evidence/json_bytes.h"

namespace coffer::evidence::nvidia_dpu {

namespace json = codec::json;

namespace {

constexpr std::size_t max_devices = 16;
constexpr std::size_t max_certificate = 16U << 10;
constexpr std::size_t max_signature = 256;

std::unexpected<Error> malformed(const std::string& message) {
  return fail(EvidenceError::malformed, message);
}

Result<Bytes> field(const json::Object& device, std::string_view name, std::size_t most) {
  auto bytes = TRY(base64_member(device, name, "DPU device"));
  if (!bytes.empty() && bytes.size() <= most) return bytes;
  return malformed("DPU device." + std::string{name} + " is expected to have 1 to " + std::to_string(most) +
                   " bytes, found " + std::to_string(bytes.size()));
}

Result<Device> parse_device(const json::Value& value) {
  const auto* object = value.if_object();
  if (object == nullptr) return malformed("a DPU device is expected to be an object");
  const auto architecture = json::string_member(*object, "architecture", "DPU device");
  if (!architecture) return malformed(architecture.error().message);
  Device out{.architecture = std::string{architecture->substr(0, 64)}};
  out.alias_cert = TRY(field(*object, "alias_cert", max_certificate));
  out.device_id_cert = TRY(field(*object, "device_id_cert", max_certificate));
  out.report_data_signature = TRY(field(*object, "report_data_signature", max_signature));
  return out;
}

json::Object describe_certificate(ByteView der) {
  const auto certificate = crypto::Certificate::from_der(der);
  if (!certificate) return {{"unreadable", certificate.error().message}, {"der", codec::hex_encode(der)}};
  return {{"subject", certificate->subject()},
          {"issuer", certificate->issuer()},
          {"not_before", format_rfc3339(certificate->not_before())},
          {"not_after", format_rfc3339(certificate->not_after())},
          {"sha256", codec::hex_encode(certificate->sha256_fingerprint())}};
}

class DpuVerifier final : public Verifier {
 public:
  TeeKind kind() const override { return TeeKind::nvidia_dpu; }

  Result<std::vector<Claims>> verify(const json::Value& evidence, const Binding&, TimePoint) const override {
    TRY(parse_evidence(evidence));
    return fail(EvidenceError::not_supported,
                "DPU evidence cannot be verified here: NVIDIA's root for DICE certificates of DPUs is missing");
  }

  Result<json::Object> inspect(const json::Value& evidence) const override {
    const auto read = TRY(parse_evidence(evidence));
    json::Array devices;
    for (const auto& device : read.devices) {
      devices.emplace_back(json::Object{{"architecture", device.architecture},
                                        {"alias_cert", describe_certificate(device.alias_cert)},
                                        {"device_id_cert", describe_certificate(device.device_id_cert)},
                                        {"report_data_signature", codec::hex_encode(device.report_data_signature)}});
    }
    return json::Object{{"version", read.version}, {"devices", std::move(devices)}};
  }
};

}  // namespace

Result<Evidence> parse_evidence(const json::Value& evidence) {
  const auto* version = evidence.find("version");
  const auto number = version == nullptr ? std::nullopt : version->if_uint64();
  if (!number) return malformed("DPU evidence is expected to be an object with a version that is a number");
  const auto* devices = evidence.find("devices");
  const auto* array = devices == nullptr ? nullptr : devices->if_array();
  if (array == nullptr || array->empty() || array->size() > max_devices) {
    return malformed("DPU evidence is expected to hold 1 to 16 devices, found " +
                     (array == nullptr ? "none" : std::to_string(array->size())));
  }
  Evidence out{*number};
  for (const auto& each : *array) out.devices.push_back(TRY(parse_device(each)));
  return out;
}

Result<std::unique_ptr<Verifier>> make_verifier(TeeKind, const VerifierOptions&) {
  return std::make_unique<DpuVerifier>();
}

}  // namespace coffer::evidence::nvidia_dpu
