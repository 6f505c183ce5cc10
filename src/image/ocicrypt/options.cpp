#include "image/ocicrypt/options.h"

#include <algorithm>

#include "codec/base64.h"
#include "codec/json_secret.h"

namespace coffer::image::ocicrypt {
namespace json = codec::json;
namespace {

constexpr std::size_t key_size = 32;
constexpr std::size_t mac_size = 32;
constexpr std::size_t nonce_size = 16;

std::unexpected<Error> bad(std::string message) {
  return fail(ImageError::bad_annotation, std::move(message));
}

Result<json::Value> parse_object(ByteView text, std::string_view what) {
  auto value = json::parse(as_text(text), {.max_size = 64U << 10, .max_depth = 8});
  if (!value) return bad(std::string{what} + " are not JSON: " + value.error().message);
  if (!value->is_object()) return bad(std::string{what} + " are not a JSON object");
  return std::move(*value);
}

Result<std::string_view> text_at(const json::Value& object, std::string_view key, std::string_view what) {
  const auto* member = object.find(key);
  const auto* text = member == nullptr ? nullptr : member->if_string();
  if (text == nullptr) return bad(std::string{what} + " have no text member \"" + std::string{key} + "\"");
  return std::string_view{*text};
}

Result<Bytes> bytes_of_size(std::string_view text, std::size_t size, std::string_view what) {
  auto bytes = codec::base64_decode(text);
  if (!bytes) return bad(std::string{what} + " is not base64");
  if (bytes->size() != size) {
    return bad(std::string{what} + " has " + std::to_string(size) + " bytes, and here it has " +
               std::to_string(bytes->size()));
  }
  return std::move(*bytes);
}

Result<std::optional<Bytes>> parse_nonce(const json::Value& object) {
  const auto* nonce = object.at_pointer("/cipheroptions/nonce");
  if (nonce == nullptr || nonce->is_null()) return std::optional<Bytes>{};
  if (!nonce->is_string()) return bad("the nonce among the cipher options is not a text");
  auto bytes = TRY(bytes_of_size(*nonce->if_string(), nonce_size, "the nonce"));
  return std::optional{std::move(bytes)};
}

// Written by hand, because a JSON value would leave copies of the key on the heap.
void append_base64(SecretBytes& out, std::size_t& at, ByteView raw) {
  auto text = codec::base64_encode(raw);
  std::ranges::copy(as_bytes(text), out.mutable_expose().subspan(at).begin());
  at += text.size();
  wipe(std::as_writable_bytes(std::span{text}));
}

void append_text(SecretBytes& out, std::size_t& at, std::string_view text) {
  std::ranges::copy(as_bytes(text), out.mutable_expose().subspan(at).begin());
  at += text.size();
}

}  // namespace

Result<PublicOptions> PublicOptions::parse(ByteView text) {
  const auto object = TRY(parse_object(text, "the public options"));
  const auto cipher = TRY(text_at(object, "cipher", "the public options"));
  if (cipher != cipher_name) {
    return fail(ImageError::unsupported_cipher, "the layer is encrypted with \"" + std::string{cipher.substr(0, 100)} +
                                                    "\", and only " + std::string{cipher_name} + " is known");
  }
  const auto hmac = TRY(text_at(object, "hmac", "the public options"));
  auto mac = TRY(bytes_of_size(hmac, mac_size, "the HMAC"));
  auto nonce = TRY(parse_nonce(object));
  return PublicOptions{std::move(mac), std::move(nonce)};
}

std::string PublicOptions::to_json() const {
  json::Object cipher_options;
  if (nonce) cipher_options.set("nonce", codec::base64_encode(*nonce));
  return json::serialize(json::Object{
      {"cipher", cipher_name}, {"hmac", codec::base64_encode(hmac)}, {"cipheroptions", std::move(cipher_options)}});
}

Result<PrivateOptions> PrivateOptions::parse(ByteView text) {
  const json::SecretDocument document(TRY(parse_object(text, "the private options")));
  const auto& object = *document;
  PrivateOptions out;
  auto key = codec::base64_decode_secret(as_bytes(TRY(text_at(object, "symkey", "the private options"))));
  if (!key || key->size() != key_size) return bad("the layer key inside of the wrap is not 32 bytes in base64");
  out.key = std::move(*key);
  if (const auto* digest = object.find("digest");
      digest != nullptr && digest->is_string() && !digest->if_string()->empty()) {
    auto parsed = Digest::parse(*digest->if_string());
    if (!parsed) return bad("the digest of the private options: " + parsed.error().message);
    out.digest = std::move(*parsed);
  }
  out.nonce = TRY(parse_nonce(object));
  return out;
}

SecretBytes PrivateOptions::to_json() const {
  const auto digest_text = digest ? digest->text() : std::string{};
  SecretBytes out(160 + digest_text.size());
  std::size_t at = 0;
  append_text(out, at, R"({"symkey":")");
  append_base64(out, at, key.expose());
  append_text(out, at, R"(","digest":")");
  append_text(out, at, digest_text);
  append_text(out, at, R"(","cipheroptions":{)");
  if (nonce) {
    append_text(out, at, R"("nonce":")");
    append_base64(out, at, *nonce);
    append_text(out, at, "\"");
  }
  append_text(out, at, "}}");
  out.truncate(at);
  return out;
}

}  // namespace coffer::image::ocicrypt
