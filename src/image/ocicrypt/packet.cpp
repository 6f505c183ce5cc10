#include "image/ocicrypt/packet.h"

#include "codec/base64.h"
#include "crypto/aead.h"

namespace coffer::image::ocicrypt {
namespace json = codec::json;
namespace {

constexpr std::string_view packet_version = "0.1.0";
constexpr std::string_view wrap_type = "A256GCM";
constexpr std::size_t max_packet_size = 64U << 10;

std::unexpected<Error> bad(std::string message) {
  return fail(ImageError::bad_annotation, std::move(message));
}

Result<std::string> text_at(const json::Object& object, std::string_view key) {
  const auto* member = object.find(key);
  const auto* text = member == nullptr ? nullptr : member->if_string();
  if (text == nullptr) return bad("the annotation packet has no text member \"" + std::string{key} + "\"");
  return *text;
}

Result<std::string> text_or(const json::Object& object, std::string_view key, std::string_view fallback) {
  if (!object.contains(key)) return std::string{fallback};
  return text_at(object, key);
}

Result<Bytes> bytes_at(const json::Object& object, std::string_view key) {
  auto bytes = codec::base64_decode(TRY(text_at(object, key)));
  if (!bytes) return bad("the annotation packet's \"" + std::string{key} + "\" is not base64");
  return std::move(*bytes);
}

Result<> check_wrap_type(std::string_view name) {
  if (name == wrap_type) return {};
  return fail(ImageError::unsupported_cipher, "the annotation packet is wrapped with \"" +
                                                  std::string{name.substr(0, 100)} + "\", and only " +
                                                  std::string{wrap_type} + " protects it from being changed");
}

Result<> check_iv(const Bytes& iv) {
  if (iv.size() == crypto::gcm_iv_size) return {};
  return bad("the annotation packet's iv has " + std::to_string(crypto::gcm_iv_size) + " bytes, and here it has " +
             std::to_string(iv.size()));
}

}  // namespace

Result<AnnotationPacket> AnnotationPacket::parse(ByteView text) {
  const auto value = json::parse(as_text(text), {.max_size = max_packet_size, .max_depth = 8});
  if (!value || !value->is_object()) return bad("the annotation packet is not a JSON object");
  const auto& object = *value->if_object();
  AnnotationPacket out;
  const bool v2 = object.contains("version") || object.contains("provider") || object.contains("provider_settings");
  out.version = v2 ? PacketVersion::v2 : PacketVersion::v1;
  const auto version = TRY(text_or(object, "version", packet_version));
  if (version != packet_version)
    return bad("the annotation packet has version \"" + version + "\", and only 0.1.0 is known");
  out.provider = TRY(text_or(object, "provider", "kbs"));
  out.kid = TRY(text_at(object, "kid"));
  out.wrapped_data = TRY(bytes_at(object, "wrapped_data"));
  if (out.provider != "kbs") return out;
  out.iv = TRY(bytes_at(object, "iv"));
  TRY(check_wrap_type(TRY(text_at(object, "wrap_type"))));
  TRY(check_iv(out.iv));
  return out;
}

std::string AnnotationPacket::to_json() const {
  json::Object out;
  if (version == PacketVersion::v2) out.set("version", packet_version);
  out.set("kid", kid);
  out.set("wrapped_data", codec::base64_encode(wrapped_data));
  if (version == PacketVersion::v2) out.set("provider", provider);
  out.set("iv", codec::base64_encode(iv));
  out.set("wrap_type", wrap_type);
  if (version == PacketVersion::v2) {
    out.set("provider_settings", json::Object{});
    out.set("annotations", json::Object{});
  }
  return json::serialize(out);
}

Result<codec::ResourceUri> AnnotationPacket::key_uri() const {
  auto uri = codec::ResourceUri::parse_any(kid);
  if (uri) return uri;
  return bad("the annotation packet's kid \"" + kid.substr(0, 200) + "\" names no key: " + uri.error().message);
}

Result<SecretBytes> AnnotationPacket::open(const SecretBytes& kek) const {
  if (provider != "kbs") {
    return bad("the annotation packet is for provider \"" + provider.substr(0, 100) + "\", and only kbs opens here");
  }
  auto opened = crypto::aes_gcm_open_joined(kek.expose(), iv, {}, wrapped_data);
  if (opened) return opened;
  return fail(ImageError::unwrap_failed,
              "the key " + kid.substr(0, 200) +
                  " does not open the layer's annotation: it is another key than the layer was "
                  "encrypted for, or the annotation was changed");
}

Result<AnnotationPacket> AnnotationPacket::seal(ByteView secret, const SecretBytes& kek, const codec::ResourceUri& kid,
                                                PacketVersion version, crypto::RandomSource& random) {
  AnnotationPacket out;
  out.version = version;
  out.kid = kid.text();
  out.iv = random.bytes(crypto::gcm_iv_size);
  out.wrapped_data = TRY(crypto::aes_gcm_seal_joined(kek.expose(), out.iv, {}, secret));
  return out;
}

}  // namespace coffer::image::ocicrypt
