#include "image/ocicrypt/keyprovider.h"

#include <algorithm>
#include <array>

#include "codec/base64.h"
#include "codec/json_secret.h"

namespace coffer::image::ocicrypt {
namespace json = codec::json;
namespace {

constexpr std::size_t max_message_size = 1U << 20;
constexpr std::size_t max_parameters = 64;

std::unexpected<Error> bad(std::string message) {
  return fail(ImageError::bad_annotation, std::move(message));
}

Result<json::Value> parse_object(ByteView text) {
  auto value = json::parse(as_text(text), {.max_size = max_message_size, .max_depth = 16});
  if (!value) return bad("the keyprovider message is not JSON: " + value.error().message);
  if (!value->is_object()) return bad("the keyprovider message is not a JSON object");
  return std::move(*value);
}

Result<SecretBytes> bytes_of_numbers(const json::Array& numbers, std::string_view what) {
  SecretBytes out(numbers.size());
  std::size_t at = 0;
  for (const auto& number : numbers) {
    const auto value = number.if_uint64();
    if (!value || *value > 255) return bad(std::string{what} + " is an array of something else than bytes");
    out.mutable_expose()[at++] = static_cast<std::byte>(*value);
  }
  return out;
}

// Go writes base64 text and Rust arrays of numbers.
Result<SecretBytes> bytes_at(const json::Value& document, std::string_view pointer) {
  const auto* value = document.at_pointer(pointer);
  if (value == nullptr || value->is_null())
    return bad("the keyprovider message has no " + std::string{pointer.substr(1)});
  if (const auto* numbers = value->if_array()) return bytes_of_numbers(*numbers, pointer.substr(1));
  if (const auto* text = value->if_string()) {
    auto bytes = codec::base64_decode_secret(as_bytes(*text));
    if (bytes) return bytes;
  }
  return bad("the keyprovider message's " + std::string{pointer.substr(1)} +
             " is neither base64 nor an array of bytes");
}

Result<ProviderParameters> parse_parameters(const json::Value* value) {
  ProviderParameters out;
  const auto* object = value == nullptr ? nullptr : value->if_object();
  if (object == nullptr) return out;
  if (object->size() > max_parameters) return bad("the keyprovider message has over 64 parameters");
  for (const auto& [name, list] : *object) {
    const auto* items = list.if_array();
    if (items == nullptr || items->size() > max_parameters)
      return bad("the parameters of " + name + " are no short list");
    auto& texts = out[name];
    for (const auto& item : *items) {
      const auto* text = item.if_string();
      const auto decoded = text == nullptr ? Result<Bytes>{bad("")} : codec::base64_decode(*text);
      if (!decoded) return bad("a parameter of " + name + " is not base64 text");
      texts.push_back(to_text(*decoded));
    }
  }
  return out;
}

json::Object parameters_json(std::string_view provider, std::string_view parameter) {
  return json::Object{
      {"Parameters",
       json::Object{{std::string{provider}, json::Array{json::Value{codec::base64_encode(as_bytes(parameter))}}}}}};
}

// {"<outer>":{"<inner>":[1,2,...]}}
SecretBytes number_array_response(std::string_view outer, std::string_view inner, ByteView data) {
  SecretBytes out(outer.size() + inner.size() + 16 + data.size() * 4);
  std::size_t at = 0;
  const auto put = [&](std::string_view text) {
    std::ranges::copy(as_bytes(text), out.mutable_expose().subspan(at).begin());
    at += text.size();
  };
  put("{\"");
  put(outer);
  put("\":{\"");
  put(inner);
  put("\":[");
  bool first = true;
  for (const auto byte : data) {
    if (!first) put(",");
    first = false;
    const auto value = std::to_integer<unsigned>(byte);
    const std::array<char, 3> digits{static_cast<char>('0' + value / 100), static_cast<char>('0' + value / 10 % 10),
                                     static_cast<char>('0' + value % 10)};
    const std::size_t skip = value >= 100 ? 0 : value >= 10 ? 1 : 2;
    put({digits.data() + skip, digits.size() - skip});
  }
  put("]}}");
  out.truncate(at);
  return out;
}

}  // namespace

Result<KeyproviderRequest> parse_keyprovider_request(ByteView text) {
  const json::SecretDocument message(TRY(parse_object(text)));
  const auto& document = *message;
  const auto* op = document.find("op");
  const auto* name = op == nullptr ? nullptr : op->if_string();
  if (name != nullptr && *name == "keywrap") {
    auto parameters = TRY(parse_parameters(document.at_pointer("/keywrapparams/ec/Parameters")));
    auto secret = TRY(bytes_at(document, "/keywrapparams/optsdata"));
    return WrapRequest{std::move(parameters), std::move(secret)};
  }
  if (name != nullptr && *name == "keyunwrap") {
    const auto annotation = TRY(bytes_at(document, "/keyunwrapparams/annotation"));
    auto parameters = TRY(parse_parameters(document.at_pointer("/keyunwrapparams/dc/Parameters")));
    return UnwrapRequest{std::move(parameters), to_bytes(annotation.expose())};
  }
  return bad("the keyprovider message has neither op keywrap nor keyunwrap");
}

std::string wrap_response(ByteView annotation) {
  return to_text(number_array_response("keywrapresults", "annotation", annotation).expose());
}

SecretBytes unwrap_response(const SecretBytes& secret) {
  return number_array_response("keyunwrapresults", "optsdata", secret.expose());
}

std::string wrap_request(std::string_view provider, std::string_view parameter, ByteView secret) {
  auto ec = parameters_json(provider, parameter);
  ec.set("DecryptConfig", json::Object{{"Parameters", json::Object{}}});
  return json::serialize(
      json::Object{{"op", "keywrap"},
                   {"keywrapparams", json::Object{{"ec", std::move(ec)}, {"optsdata", codec::base64_encode(secret)}}},
                   {"keyunwrapparams", json::Object{{"dc", nullptr}, {"annotation", nullptr}}}});
}

std::string unwrap_request(std::string_view provider, std::string_view parameter, ByteView annotation) {
  return json::serialize(json::Object{
      {"op", "keyunwrap"},
      {"keywrapparams", json::Object{{"ec", nullptr}, {"optsdata", nullptr}}},
      {"keyunwrapparams",
       json::Object{{"dc", parameters_json(provider, parameter)}, {"annotation", codec::base64_encode(annotation)}}}});
}

Result<Bytes> parse_wrap_response(ByteView text) {
  return to_bytes(TRY(bytes_at(TRY(parse_object(text)), "/keywrapresults/annotation")).expose());
}

Result<SecretBytes> parse_unwrap_response(ByteView text) {
  const json::SecretDocument message(TRY(parse_object(text)));
  return bytes_at(*message, "/keyunwrapresults/optsdata");
}

Result<std::map<std::string, std::string>> parse_provider_parameter(std::string_view text) {
  static constexpr std::array names{"sample", "keyid", "keypath", "algorithm"};
  std::map<std::string, std::string> out;
  while (true) {
    const auto end = text.find("::");
    const auto piece = text.substr(0, end);
    const auto equals = piece.find('=');
    const auto name = std::string{piece.substr(0, equals)};
    const bool known = std::ranges::any_of(names, [&](std::string_view n) { return n == name; });
    if (equals == std::string_view::npos || !known) {
      return bad("a provider parameter is sample=, keyid= or keypath= joined by \"::\", and one piece is \"" +
                 std::string{piece.substr(0, 200)} + "\"");
    }
    if (!out.emplace(name, piece.substr(equals + 1)).second)
      return bad("the provider parameter " + name + " is there twice");
    if (end == std::string_view::npos) return out;
    text.remove_prefix(end + 2);
  }
}

}  // namespace coffer::image::ocicrypt
