#include "net/detail/otlp_json.h"

#include <charconv>

#include "codec/base64.h"
#include "codec/json.h"

namespace coffer::net::detail {
namespace {

using codec::json::Array;
using codec::json::Object;
using codec::json::Value;

// int64 is a string in protobuf's JSON: JavaScript's numbers do not hold it.
Object any_value(const SpanValue& value) {
  if (const auto* text = std::get_if<std::string>(&value)) return {{"stringValue", *text}};
  if (const auto* number = std::get_if<std::int64_t>(&value)) return {{"intValue", std::to_string(*number)}};
  if (const auto* number = std::get_if<double>(&value)) return {{"doubleValue", *number}};
  return {{"boolValue", std::get<bool>(value)}};
}

Object key_value(std::string_view key, const SpanValue& value) {
  return {{"key", key}, {"value", any_value(value)}};
}

Array attributes_of(const SpanRecord& span) {
  Array out;
  for (const auto& [key, value] : span.attributes) out.emplace_back(key_value(key, value));
  if (!span.failure.empty()) out.emplace_back(key_value("error.type", span.failure));
  return out;
}

Object span_object(const SpanRecord& span) {
  constexpr int status_error = 2;
  Object out{{"traceId", codec::hex_encode(span.context.trace_id)},
             {"spanId", codec::hex_encode(span.context.span_id)}};
  if (span.parent) out.append("parentSpanId", codec::hex_encode(*span.parent));
  out.append("name", span.name);
  out.append("kind", static_cast<int>(span.kind));
  out.append("startTimeUnixNano", std::to_string(span.start));
  out.append("endTimeUnixNano", std::to_string(span.end));
  if (auto attributes = attributes_of(span); !attributes.empty()) out.append("attributes", std::move(attributes));
  if (!span.failure.empty()) out.append("status", Object{{"message", span.failure}, {"code", status_error}});
  return out;
}

Array resource_attributes(const OtlpResource& resource) {
  Array out{key_value("service.name", resource.service_name)};
  if (!resource.service_version.empty()) out.emplace_back(key_value("service.version", resource.service_version));
  if (!resource.instance_id.empty()) out.emplace_back(key_value("service.instance.id", resource.instance_id));
  return out;
}

}  // namespace

std::string otlp_json(const OtlpResource& resource, std::span<const SpanRecord> spans) {
  Array list;
  list.reserve(spans.size());
  for (const auto& span : spans) list.emplace_back(span_object(span));
  const Object scope{{"name", "coffer"}, {"version", resource.service_version}};
  Array scopes;
  scopes.emplace_back(Object{{"scope", scope}, {"spans", std::move(list)}});
  Array resources;
  resources.emplace_back(
      Object{{"resource", Object{{"attributes", resource_attributes(resource)}}}, {"scopeSpans", std::move(scopes)}});
  return codec::json::serialize(Object{{"resourceSpans", std::move(resources)}});
}

std::uint64_t rejected_spans(std::string_view response) {
  const auto document = codec::json::parse(response, {.max_size = 64U << 10, .max_depth = 16});
  const Value* count = document ? document->at_pointer("/partialSuccess/rejectedSpans") : nullptr;
  if (count == nullptr) return 0;
  if (const auto number = count->if_uint64()) return *number;
  std::uint64_t value = 0;
  const auto* text = count->if_string();
  if (text != nullptr) std::from_chars(text->data(), text->data() + text->size(), value);
  return value;
}

}  // namespace coffer::net::detail
