#include "codec/jose/detail/header.h"

#include "codec/base64.h"

namespace coffer::codec::jose::detail {

Result<std::vector<std::string_view>> split_compact(std::string_view text, std::size_t count, std::string_view what) {
  std::vector<std::string_view> parts;
  std::size_t start = 0;
  while (parts.size() < count) {
    const auto dot = text.find('.', start);
    parts.push_back(text.substr(start, dot == std::string_view::npos ? dot : dot - start));
    if (dot == std::string_view::npos) {
      start = dot;
      break;
    }
    start = dot + 1;
  }
  if (parts.size() == count && start == std::string_view::npos) return parts;
  return fail(JoseError::malformed, "a compact " + std::string{what} + " must have " + std::to_string(count) +
                                        " parts, and this has " + (parts.size() < count ? "fewer" : "more"));
}

Result<Bytes> decode_part(std::string_view text, std::string_view what) {
  auto bytes = base64url_decode(text);
  if (bytes) return bytes;
  return fail(JoseError::malformed, std::string{what} + ": " + bytes.error().message);
}

Result<Bytes> decode_member(const json::Object& object, std::string_view key, std::string_view what) {
  const auto text = TRY(relabel(json::string_member(object, key, what), JoseError::malformed));
  return decode_part(text, std::string{what} + "." + std::string{key});
}

Result<json::Object> decode_header(std::string_view text) {
  const auto bytes = TRY(decode_part(text, "protected header"));
  auto value = TRY(relabel(json::parse(as_text(bytes), header_limits), JoseError::malformed));
  if (auto* object = value.if_object()) return std::move(*object);
  return fail(JoseError::malformed, "a protected header must be an object, and is " + std::string{value.type_name()});
}

Result<> merge_header(json::Object& into, const json::Object& from) {
  for (const auto& [name, value] : from) {
    if (into.contains(name)) {
      return fail(JoseError::malformed, "the header member \"" + name + "\" stands in more than one header");
    }
    into.append(name, value);
  }
  return {};
}

Result<> refuse_critical(const json::Object& header) {
  const auto* critical = header.find("crit");
  if (critical == nullptr) return {};
  return fail(JoseError::critical_header,
              "the header demands extensions that are not known here: " + json::serialize(*critical).substr(0, 100));
}

}  // namespace coffer::codec::jose::detail
