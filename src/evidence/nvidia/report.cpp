#include "evidence/nvidia/report.h"

#include <algorithm>

#include "base/byte_reader.h"

namespace coffer::evidence::nvidia {

namespace {

// DSP0274 1.1.1: the header of every message, and section 10.11 for its two parameters.
constexpr std::uint8_t spdm_version = 0x11;
constexpr std::uint8_t get_measurements = 0xe0;
constexpr std::uint8_t measurements_response = 0x60;
constexpr std::uint8_t signature_requested = 0x01;
constexpr std::uint8_t all_measurements = 0xff;
constexpr std::uint8_t dmtf_specification = 0x01;
constexpr std::size_t value_header = 3;  // type and size before a value

std::unexpected<Error> bad(const std::string& message) {
  return fail(NvidiaError::bad_report, "the GPU's report: " + message);
}

Result<> expect_byte(ByteReader& reader, std::uint8_t expected, std::string_view what) {
  const auto found = TRY(reader.u8(what));
  if (found == expected) return {};
  return bad(std::string{what} + " is expected to be " + std::to_string(expected) + ", found " + std::to_string(found));
}

// Table 42. The request is part of what is signed, so that its nonce is.
Result<> parse_request(ByteReader& reader, Report& out) {
  TRY(expect_byte(reader, spdm_version, "the request's SPDM version"));
  TRY(expect_byte(reader, get_measurements, "the request's code (GET_MEASUREMENTS)"));
  TRY(expect_byte(reader, signature_requested, "the request's attributes (a signature)"));
  TRY(expect_byte(reader, all_measurements, "the request's operation (all measurements)"));
  out.nonce = to_bytes(TRY(reader.bytes(nonce_size, "the request's nonce")));
  out.slot = TRY(reader.u8("the request's slot"));
  return {};
}

// Tables 44 and 45.
Result<Measurement> parse_measurement(ByteReader& record) {
  Measurement out {
    .index = TRY(record.u8("a measurement's index"))
    , .type = 0, .value = {}
  };
  TRY(expect_byte(record, dmtf_specification, "a measurement's specification (DMTF)"));
  const auto size = TRY(record.u16_le("a measurement's size"));
  out.type = TRY(record.u8("a measurement's type"));
  const auto value_size = TRY(record.u16_le("the size of a measurement's value"));
  if (value_size == 0 || size != value_size + value_header) {
    return bad("measurement " + std::to_string(out.index) + " of " + std::to_string(size) +
               " bytes is expected to hold a value of three bytes less, found " + std::to_string(value_size));
  }
  out.value = to_bytes(TRY(record.bytes(value_size, "a measurement's value")));
  return out;
}

Result<std::vector<Measurement>> parse_record(ByteView bytes, std::size_t count) {
  ByteReader record{bytes};
  std::vector<Measurement> out;
  for (std::size_t i = 0; i < count; ++i) {
    auto measurement = TRY(parse_measurement(record));
    if (std::ranges::find(out, measurement.index, &Measurement::index) != out.end()) {
      return bad("measurement " + std::to_string(measurement.index) + " is there twice");
    }
    out.push_back(std::move(measurement));
  }
  TRY(record.expect_end("the measurement record"));
  return out;
}

// Table 43.
Result<> parse_response(ByteReader& reader, Report& out) {
  TRY(expect_byte(reader, spdm_version, "the response's SPDM version"));
  TRY(expect_byte(reader, measurements_response, "the response's code (MEASUREMENTS)"));
  TRY(reader.skip(2, "the response's parameters"));
  const std::size_t count = TRY(reader.u8("the number of measurements"));
  const std::size_t low = TRY(reader.u16_le("the length of the measurement record"));
  const std::size_t length = low | std::size_t {
    TRY(reader.u8("the length of the measurement record"))
  }
  << 16U;
  out.measurements = TRY(parse_record(TRY(reader.bytes(length, "the measurement record")), count));
  out.responder_nonce = to_bytes(TRY(reader.bytes(nonce_size, "the response's nonce")));
  const auto opaque_size = TRY(reader.u16_le("the length of the opaque data"));
  out.opaque_data = TRY(OpaqueData::parse(TRY(reader.bytes(opaque_size, "the opaque data"))));
  out.signed_size = reader.offset();
  out.signature = to_bytes(TRY(reader.bytes(signature_size, "the signature")));
  return {};
}

Result<Report> parse(ByteView bytes) {
  if (bytes.size() > max_report) {
    return bad("at most " + std::to_string(max_report) + " bytes are expected, found " + std::to_string(bytes.size()));
  }
  ByteReader reader{bytes};
  Report out;
  TRY(parse_request(reader, out));
  TRY(parse_response(reader, out));
  const auto behind = reader.rest();
  if (std::ranges::any_of(behind, [](std::byte each) { return each != std::byte{0}; })) {
    return bad("nothing but zeros is expected behind the signature, found " + std::to_string(behind.size()) + " bytes");
  }
  return out;
}

Bytes encode_record(const std::vector<Measurement>& measurements) {
  ByteWriter out;
  for (const auto& each : measurements) {
    const auto size = static_cast<std::uint16_t>(each.value.size());
    out.u8(each.index).u8(dmtf_specification).u16_le(static_cast<std::uint16_t>(size + value_header));
    out.u8(each.type).u16_le(size).bytes(each.value);
  }
  return out.take();
}

}  // namespace

Result<Report> parse_report(ByteView bytes) {
  auto report = parse(bytes);
  if (report || report.error().code == NvidiaError::bad_report || report.error().code == NvidiaError::bad_opaque_data) {
    return report;
  }
  return bad(report.error().message);
}

Bytes encode_unsigned(const Report& report) {
  ByteWriter out;
  out.u8(spdm_version).u8(get_measurements).u8(signature_requested).u8(all_measurements);
  out.bytes(report.nonce).u8(report.slot);
  out.u8(spdm_version).u8(measurements_response).u8(0).u8(report.slot);
  const auto record = encode_record(report.measurements);
  out.u8(static_cast<std::uint8_t>(report.measurements.size()));
  out.u16_le(static_cast<std::uint16_t>(record.size() & 0xffffU)).u8(static_cast<std::uint8_t>(record.size() >> 16U));
  out.bytes(record).bytes(report.responder_nonce);
  const auto opaque = report.opaque_data.encode();
  out.u16_le(static_cast<std::uint16_t>(opaque.size())).bytes(opaque);
  return out.take();
}

}  // namespace coffer::evidence::nvidia
