#include "evidence/keystone/report.h"

#include "base/byte_reader.h"
#include "codec/base64.h"

namespace coffer::evidence::keystone {

namespace json = codec::json;

namespace {

constexpr std::size_t signature_size = 64;

Result<Bytes> take(ByteReader& reader, std::size_t size, std::string_view what) {
  return to_bytes(TRY(reader.bytes(size, what)));
}

}  // namespace

Result<Report> parse_report(ByteView report) {
  if (report.size() != report_size) {
    return fail(KeystoneError::bad_size, "a Keystone report is expected to have " + std::to_string(report_size) +
                                             " bytes, found " + std::to_string(report.size()));
  }
  ByteReader reader{report};
  Report out;
  out.enclave_hash = TRY(take(reader, hash_size, "the enclave's hash"));
  const auto length = TRY(reader.u64_le("the data's length"));
  if (length > max_data) {
    return fail(KeystoneError::bad_data_length,
                "a Keystone report is expected to have at most 1024 bytes of data, found " + std::to_string(length));
  }
  // Behind the length lies what was in the monitor's memory: neither signed nor of any meaning.
  const auto data = TRY(reader.bytes(max_data, "the data"));
  out.data = to_bytes(data.first(static_cast<std::size_t>(length)));
  out.enclave_signature = TRY(take(reader, signature_size, "the enclave's signature"));
  out.monitor_hash = TRY(take(reader, hash_size, "the security monitor's hash"));
  out.monitor_key = TRY(take(reader, key_size, "the security monitor's key"));
  out.monitor_signature = TRY(take(reader, signature_size, "the security monitor's signature"));
  out.device_key = TRY(take(reader, key_size, "the device's key"));
  TRY(reader.expect_end("a Keystone report"));
  return out;
}

Bytes Report::enclave_signed() const {
  ByteWriter writer;
  writer.bytes(enclave_hash).u64_le(data.size()).bytes(data);
  return writer.take();
}

Bytes Report::monitor_signed() const {
  return concat({monitor_hash, monitor_key});
}

Bytes encode_report(const Report& report) {
  ByteWriter writer;
  writer.bytes(report.enclave_signed()).zeros(max_data - report.data.size());
  writer.bytes(report.enclave_signature).bytes(report.monitor_signed()).bytes(report.monitor_signature);
  writer.bytes(report.device_key);
  return writer.take();
}

json::Object claims_of(const Report& report) {
  return {{"enclave",
           json::Object{{"hash", codec::hex_encode(report.enclave_hash)}, {"data", codec::hex_encode(report.data)}}},
          {"security_monitor", json::Object{{"hash", codec::hex_encode(report.monitor_hash)},
                                            {"public_key", codec::hex_encode(report.monitor_key)}}},
          {"device_public_key", codec::hex_encode(report.device_key)}};
}

}  // namespace coffer::evidence::keystone
