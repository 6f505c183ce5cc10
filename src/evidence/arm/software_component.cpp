#include "evidence/arm/software_component.h"

#include "codec/base64.h"

namespace coffer::evidence::arm {

namespace cbor = codec::cbor;
namespace json = codec::json;

namespace {

constexpr std::size_t max_components = 64;
constexpr SizeBounds text_size{0, 256};

constexpr int key_type = 1;
constexpr int key_value = 2;
constexpr int key_version = 4;
constexpr int key_signer = 5;
constexpr int key_description = 6;

Result<SoftwareComponent> parse_component(const cbor::Value& entry, ErrorCode code, bool signer_required) {
  const auto fields = TRY(CborFields::open(entry, code, "a software component"));
  SoftwareComponent out;
  out.measurement_type = TRY(fields.optional_text(fields.find(key_type), "measurement-type", text_size));
  out.measurement_value = TRY(fields.hash(fields.find(key_value), "measurement-value"));
  out.version = TRY(fields.optional_text(fields.find(key_version), "version", text_size));
  const auto* signer = fields.find(key_signer);
  if (signer != nullptr || signer_required) out.signer_id = TRY(fields.hash(signer, "signer-id"));
  out.description = TRY(fields.optional_text(fields.find(key_description), "key 6", text_size));
  return out;
}

}  // namespace

Result<std::vector<SoftwareComponent>> parse_software_components(const CborFields& fields, const cbor::Value* value,
                                                                 ErrorCode code, bool signer_required) {
  const auto* array = value == nullptr ? nullptr : value->if_array();
  if (array == nullptr || array->empty() || array->size() > max_components) {
    return fields.bad("software components", "an array of 1 to 64 maps",
                      array == nullptr ? "none" : std::to_string(array->size()));
  }
  std::vector<SoftwareComponent> out;
  for (const auto& entry : *array) out.push_back(TRY(parse_component(entry, code, signer_required)));
  return out;
}

cbor::Array encode_software_components(const std::vector<SoftwareComponent>& components) {
  cbor::Array out;
  for (const auto& each : components) {
    cbor::Map map{{key_value, each.measurement_value}};
    if (each.measurement_type) map.emplace_back(key_type, *each.measurement_type);
    if (each.version) map.emplace_back(key_version, *each.version);
    if (each.signer_id) map.emplace_back(key_signer, *each.signer_id);
    if (each.description) map.emplace_back(key_description, *each.description);
    out.emplace_back(std::move(map));
  }
  return out;
}

json::Array claims_of(const std::vector<SoftwareComponent>& components, std::string_view key_6) {
  json::Array out;
  for (const auto& each : components) {
    json::Object object;
    if (each.measurement_type) object.append("measurement-type", *each.measurement_type);
    object.append("measurement-value", codec::base64_encode(each.measurement_value));
    if (each.signer_id) object.append("signer-id", codec::base64_encode(*each.signer_id));
    if (each.version) object.append("version", *each.version);
    if (each.description) object.append(std::string{key_6}, *each.description);
    out.emplace_back(std::move(object));
  }
  return out;
}

}  // namespace coffer::evidence::arm
