// JSON Web Signature (RFC 7515): compact, and the flattened and general JSON forms for reading.
#pragma once

#include <span>

#include "codec/jose/jwk.h"

namespace coffer::codec::jose {

using crypto::SignatureAlgorithm;

std::string_view name_of(SignatureAlgorithm algorithm);  // "ES256", ...
std::optional<SignatureAlgorithm> parse_signature_algorithm(std::string_view name);

// A parsed, not yet verified compact JWS. Nothing in it may be trusted before verify().
struct UnverifiedJws {
  json::Object header;
  std::string signing_input;  // the received text up to the second dot
  Bytes payload;
  Bytes signature;
  std::string alg;

  static Result<UnverifiedJws> parse_compact(std::string_view text);
  // Flattened or general JSON serialization; one element a signature.
  static Result<std::vector<UnverifiedJws>> parse_json(std::string_view text);
};

Result<> verify(const UnverifiedJws& jws, const crypto::PublicKey& key, std::span<const SignatureAlgorithm> allowed);

// `header` gains "alg". Members keep their order, alg where it stands or first.
Result<std::string> sign_compact(json::Object header, ByteView payload, const crypto::PrivateKey& key,
                                 SignatureAlgorithm algorithm);

}  // namespace coffer::codec::jose
