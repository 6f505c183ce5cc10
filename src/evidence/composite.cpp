#include "evidence/composite.h"

#include <algorithm>

namespace coffer::evidence {

namespace json = codec::json;

Result<std::string> collect_additional_evidence(std::span<const Attester* const> devices, ByteView device_digest) {
  if (devices.empty()) return std::string{};
  json::Object out;
  for (const auto* device : devices) out.set(wire_name(device->kind()), TRY(device->attest(device_digest)));
  return json::serialize(json::Value{std::move(out)});
}

Result<std::vector<DeviceEvidence>> parse_additional_evidence(std::string_view text) {
  std::vector<DeviceEvidence> out;
  if (text.empty()) return out;
  auto value = json::parse(text);
  if (!value) return fail(EvidenceError::malformed, "additional evidence is no JSON: " + value.error().message);
  auto* devices = value->if_object();
  if (devices == nullptr) {
    return fail(EvidenceError::malformed,
                "additional evidence is expected to be an object from TEE name to evidence, "
                "found " +
                    std::string{value->type_name()});
  }
  for (auto& [name, evidence] : *devices) {
    const auto kind = TRY(parse_tee_kind(name));
    if (std::ranges::find(out, kind, &DeviceEvidence::tee) != out.end()) {
      return fail(EvidenceError::malformed, "additional evidence names \"" + std::string{wire_name(kind)} + "\" twice");
    }
    out.push_back({kind, std::move(evidence)});
  }
  return out;
}

}  // namespace coffer::evidence
