// OTLP's JSON: protobuf's mapping, but for ids, which are hexadecimal, and enums, which are numbers
// (opentelemetry-proto, docs/specification.md, "JSON Protobuf Encoding").
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "net/trace.h"

namespace coffer::net::detail {

struct OtlpResource {
  std::string service_name, service_version, instance_id;
};

// An ExportTraceServiceRequest.
std::string otlp_json(const OtlpResource& resource, std::span<const SpanRecord> spans);

// How many spans an ExportTraceServiceResponse says were rejected; 0 for one that says nothing.
std::uint64_t rejected_spans(std::string_view response);

}  // namespace coffer::net::detail
