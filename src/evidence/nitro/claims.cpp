#include "evidence/nitro/claims.h"

#include "codec/base64.h"
#include "crypto/x509.h"

namespace coffer::evidence::nitro {

namespace json = codec::json;

namespace {

json::Object describe_certificate(ByteView der) {
  const auto certificate = crypto::Certificate::from_der(der);
  if (!certificate) return {{"unreadable", certificate.error().message}, {"der", codec::hex_encode(der)}};
  return {{"subject", certificate->subject()},
          {"issuer", certificate->issuer()},
          {"not_before", format_rfc3339(certificate->not_before())},
          {"not_after", format_rfc3339(certificate->not_after())},
          {"sha256", codec::hex_encode(certificate->sha256_fingerprint())}};
}

}  // namespace

json::Object claims_of(const Payload& payload) {
  json::Object pcrs;
  for (const auto& [index, value] : payload.pcrs) pcrs.append("pcr" + std::to_string(index), codec::hex_encode(value));
  json::Object out{{"module_id", payload.module_id},
                   {"timestamp", payload.timestamp_ms},
                   {"digest", payload.digest},
                   {"pcrs", std::move(pcrs)},
                   {"debug", payload.debug()}};
  if (payload.nonce) out.append("nonce", codec::hex_encode(*payload.nonce));
  if (payload.user_data) out.append("user_data", codec::hex_encode(*payload.user_data));
  if (payload.public_key) out.append("public_key", codec::hex_encode(*payload.public_key));
  return out;
}

json::Object describe(const Document& document) {
  auto out = claims_of(document.payload);
  out.append("made_at", format_rfc3339(document.payload.timestamp()));
  out.append("certificate", describe_certificate(document.payload.certificate));
  json::Array bundle;
  for (const auto& der : document.payload.cabundle) bundle.emplace_back(describe_certificate(der));
  out.append("cabundle", std::move(bundle));
  out.append("signature", codec::hex_encode(document.message.signature));
  return out;
}

}  // namespace coffer::evidence::nitro
