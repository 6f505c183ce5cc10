#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/byte_reader.h"
#include "codec/base64.h"
#include "evidence/eventlog/event_log.h"
#include "evidence/tpm/quote.h"

namespace coffer::evidence::tpm {

using crypto::SignatureScheme;

namespace {

// TPM_ALG_ID (section 6.3).
constexpr std::array schemes{
    std::pair{std::uint16_t{0x0014}, SignatureScheme::rsa_pkcs1},         // RSASSA
    std::pair{std::uint16_t{0x0016}, SignatureScheme::rsa_pss_any_salt},  // RSAPSS: the longest salt that fits, or the
                                                                          // digest's length on FIPS-certified TPMs
    std::pair{std::uint16_t{0x0018}, SignatureScheme::ecdsa},
};
constexpr std::size_t max_rsa = 512;  // RSA-4096
constexpr std::size_t max_number = 66;

template <typename T>
Result<T> in_signature(Result<T> read) {
  if (!read) return fail(TpmError::bad_signature_format, "TPMT_SIGNATURE: " + read.error().message);
  return read;
}

Result<Bytes> sized(ByteReader& reader, std::string_view what, std::size_t most) {
  const auto size = TRY(in_signature(reader.u16_be(what)));
  if (size > most) {
    return fail(TpmError::bad_signature_format, fmt::format("{} of {} bytes, at most {} fit", what, size, most));
  }
  return to_bytes(TRY(in_signature(reader.bytes(size, what))));
}

}  // namespace

Result<Signature> parse_signature(ByteView tpmt_signature) {
  ByteReader reader{tpmt_signature};
  const auto id = TRY(in_signature(reader.u16_be("sigAlg")));
  const auto scheme = std::ranges::find(schemes, id, [](const auto& each) { return each.first; });
  if (scheme == schemes.end()) {
    return fail(TpmError::unsupported_algorithm,
                fmt::format("signature scheme {:#06x}, expected RSASSA, RSAPSS or ECDSA", id));
  }
  const auto hash_id = TRY(in_signature(reader.u16_be("hash")));
  const auto hash = eventlog::algorithm_of_id(hash_id);
  if (!hash || *hash == crypto::HashAlgorithm::sha1) {
    return fail(TpmError::unsupported_algorithm, fmt::format("signature over hash {:#06x}", hash_id));
  }
  Signature out{scheme->second, *hash};
  if (out.scheme == SignatureScheme::ecdsa) {
    out.r = TRY(sized(reader, "signatureR", max_number));
    out.s = TRY(sized(reader, "signatureS", max_number));
  } else {
    out.rsa = TRY(sized(reader, "sig", max_rsa));
  }
  TRY(in_signature(reader.expect_end("TPMT_SIGNATURE")));
  return out;
}

Bytes encode_signature(const Signature& signature) {
  ByteWriter out;
  const auto put = [&out](ByteView bytes) { out.u16_be(static_cast<std::uint16_t>(bytes.size())).bytes(bytes); };
  const auto scheme = std::ranges::find(schemes, signature.scheme, [](const auto& each) { return each.second; });
  out.u16_be(scheme->first).u16_be(eventlog::algorithm_id(signature.hash));
  if (signature.scheme == SignatureScheme::ecdsa) {
    put(signature.r);
    put(signature.s);
  } else {
    put(signature.rsa);
  }
  return out.take();
}

Result<> verify_signature(const crypto::PublicKey& key, const Signature& signature, ByteView message) {
  const auto refused = [&key](const Error& error) {
    return fail(TpmError::bad_signature, fmt::format("the attestation key ({}) did not sign this quote: {}",
                                                     crypto::name_of(key.kind()), error.message));
  };
  auto raw = signature.rsa;
  if (signature.scheme == SignatureScheme::ecdsa) {
    auto joined = crypto::ecdsa_from_big_endian(key.kind(), signature.r, signature.s);
    if (!joined) return refused(joined.error());
    raw = *std::move(joined);
  }
  const auto digest = crypto::hash(signature.hash, message);
  const auto verified = key.verify_digest(signature.scheme, signature.hash, digest, raw);
  if (!verified) return refused(verified.error());
  return {};
}

codec::json::Object describe(const Signature& signature) {
  codec::json::Object out{{"hash", eventlog::claim_name(signature.hash)}};
  if (signature.scheme == SignatureScheme::ecdsa) {
    out.set("scheme", "ECDSA");
    out.set("r", codec::hex_encode(signature.r));
    out.set("s", codec::hex_encode(signature.s));
  } else {
    out.set("scheme", signature.scheme == SignatureScheme::rsa_pkcs1 ? "RSASSA" : "RSAPSS");
    out.set("signature", codec::hex_encode(signature.rsa));
  }
  return out;
}

}  // namespace coffer::evidence::tpm
