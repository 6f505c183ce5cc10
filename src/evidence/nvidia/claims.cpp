#include "evidence/nvidia/claims.h"

#include "codec/base64.h"

namespace coffer::evidence::nvidia {

namespace json = codec::json;

namespace {

json::Object measurements_of(const Report& report) {
  json::Object out;
  for (const auto& each : report.measurements) {
    out.append(std::to_string(each.index), codec::hex_encode(each.value));
  }
  return out;
}

json::Object describe_certificate(const crypto::Certificate& certificate) {
  json::Object out{{"subject", certificate.subject()},
                   {"issuer", certificate.issuer()},
                   {"not_before", format_rfc3339(certificate.not_before())},
                   {"not_after", format_rfc3339(certificate.not_after())},
                   {"sha256", codec::hex_encode(certificate.sha256_fingerprint())}};
  if (!certificate.extension(composite_device_id_oid) && !certificate.extension(tcb_info_oid)) return out;
  const auto firmware = read_firmware_id(certificate);
  out.append("fwid", firmware ? codec::hex_encode(firmware->digest) : firmware.error().message);
  return out;
}

}  // namespace

json::Object claims_of(const Device& device, const TrustedDevice& trusted) {
  return {{"arch", name_of(trusted.architecture)},
          {"uuid", device.uuid},
          {"ueid", trusted.ueid},
          {"measurements", measurements_of(device.report)},
          {"config", device.report.opaque_data.to_json()}};
}

Result<json::Object> describe(const Device& device) {
  json::Array chain;
  if (!device.certificates.empty()) {
    for (const auto& certificate : TRY(parse_certificates(device.certificates))) {
      chain.emplace_back(describe_certificate(certificate));
    }
  }
  const auto& report = device.report;
  return json::Object{
      {"arch", name_of(device.architecture)},     {"uuid", device.uuid},
      {"nonce", codec::hex_encode(report.nonce)}, {"slot", report.slot},
      {"measurements", measurements_of(report)},  {"responder_nonce", codec::hex_encode(report.responder_nonce)},
      {"config", report.opaque_data.to_json()},   {"signature", codec::hex_encode(report.signature)},
      {"certificates", std::move(chain)}};
}

}  // namespace coffer::evidence::nvidia
