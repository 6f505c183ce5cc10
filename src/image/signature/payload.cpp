#include "image/signature/payload.h"

#include "codec/json.h"

namespace coffer::image::signature {
namespace json = codec::json;
namespace {

std::unexpected<Error> bad(const std::string& why) {
  return fail(ImageError::bad_signature_payload, "the signed document is none of cosign's simple signing: " + why);
}

template <class T>
Result<T> checked(Result<T> result) {
  if (result) return result;
  return bad(result.error().message);
}

}  // namespace

Result<SimpleSigning> SimpleSigning::parse(ByteView text) {
  const auto document =
      TRY(checked(json::parse(as_text(text), {.max_size = max_payload_size, .max_depth = 16, .max_values = 4096})));
  const auto* whole = TRY(checked(document.as_object("payload")));
  const auto* critical = TRY(checked(json::object_member(*whole, "critical", "payload")));
  const auto type = TRY(checked(json::string_member(*critical, "type", "critical")));
  if (type != payload_type) return bad("critical.type is \"" + std::string{type} + "\"");
  const auto* image = TRY(checked(json::object_member(*critical, "image", "critical")));
  const auto digest = TRY(checked(json::string_member(*image, "docker-manifest-digest", "critical.image")));
  const auto* identity = TRY(checked(json::object_member(*critical, "identity", "critical")));
  const auto reference = TRY(checked(json::string_member(*identity, "docker-reference", "critical.identity")));
  auto manifest = TRY(checked(Digest::parse(digest)));
  return SimpleSigning{.manifest = std::move(manifest), .reference = std::string{reference}};
}

std::string SimpleSigning::to_json() const {
  const json::Object critical{{"identity", json::Object{{"docker-reference", reference}}},
                              {"image", json::Object{{"docker-manifest-digest", manifest.text()}}},
                              {"type", payload_type}};
  return json::serialize(json::Object{{"critical", critical}, {"optional", json::Value{}}});
}

}  // namespace coffer::image::signature
