#include "codec/jose/jws.h"

#include <algorithm>
#include <array>

#include "codec/base64.h"
#include "codec/jose/detail/header.h"

namespace coffer::codec::jose {
namespace {

using detail::relabel;

struct Name {
  SignatureAlgorithm algorithm;
  std::string_view name;
};

// RFC 7518 section 3.1, RFC 8037 section 3.1.
constexpr std::array names{
    Name{SignatureAlgorithm::es256, "ES256"}, Name{SignatureAlgorithm::es384, "ES384"},
    Name{SignatureAlgorithm::es512, "ES512"}, Name{SignatureAlgorithm::rs256, "RS256"},
    Name{SignatureAlgorithm::rs384, "RS384"}, Name{SignatureAlgorithm::rs512, "RS512"},
    Name{SignatureAlgorithm::ps256, "PS256"}, Name{SignatureAlgorithm::ps384, "PS384"},
    Name{SignatureAlgorithm::ps512, "PS512"}, Name{SignatureAlgorithm::eddsa, "EdDSA"},
};

constexpr std::size_t max_signatures = 16;

Result<std::string> alg_of(const json::Object& header) {
  return std::string {
    TRY(relabel(json::string_member(header, "alg", "header"), JoseError::malformed))
  };
}

// A member that may be absent, as a view into the object.
Result<std::string_view> text_or_empty(const json::Object& object, std::string_view key) {
  if (!object.contains(key)) return std::string_view{};
  return relabel(json::string_member(object, key, "jws"), JoseError::malformed);
}

// One element of "signatures", or the whole of a flattened JWS (RFC 7515 section 7.2).
Result<UnverifiedJws> parse_signature(const json::Object& object, std::string_view payload) {
  UnverifiedJws jws;
  const auto protected_text = TRY(text_or_empty(object, "protected"));
  if (!protected_text.empty()) jws.header = TRY(detail::decode_header(protected_text));
  if (const auto* unprotected = object.find("header")) {
    TRY(detail::merge_header(jws.header, *TRY(relabel(unprotected->as_object("header"), JoseError::malformed))));
  }
  jws.signing_input = std::string{protected_text} + "." + std::string{payload};
  jws.payload = TRY(detail::decode_part(payload, "payload"));
  jws.signature = TRY(detail::decode_member(object, "signature", "jws"));
  jws.alg = TRY(alg_of(jws.header));
  return jws;
}

// "alg" where it stands, otherwise first.
json::Object with_alg(json::Object header, SignatureAlgorithm algorithm) {
  if (header.contains("alg")) {
    header.set("alg", name_of(algorithm));
    return header;
  }
  json::Object out{{"alg", name_of(algorithm)}};
  for (auto& [name, value] : header) out.append(std::move(name), std::move(value));
  return out;
}

}  // namespace

std::string_view name_of(SignatureAlgorithm algorithm) {
  return std::find_if(names.begin(), names.end(), [&](const Name& n) { return n.algorithm == algorithm; })->name;
}

std::optional<SignatureAlgorithm> parse_signature_algorithm(std::string_view name) {
  const auto* found = std::find_if(names.begin(), names.end(), [&](const Name& n) { return n.name == name; });
  if (found == names.end()) return std::nullopt;
  return found->algorithm;
}

Result<UnverifiedJws> UnverifiedJws::parse_compact(std::string_view text) {
  const auto parts = TRY(detail::split_compact(text, 3, "JWS"));
  UnverifiedJws jws;
  jws.header = TRY(detail::decode_header(parts[0]));
  jws.signing_input = std::string{text.substr(0, parts[0].size() + 1 + parts[1].size())};
  jws.payload = TRY(detail::decode_part(parts[1], "payload"));
  jws.signature = TRY(detail::decode_part(parts[2], "signature"));
  jws.alg = TRY(alg_of(jws.header));
  return jws;
}

Result<std::vector<UnverifiedJws>> UnverifiedJws::parse_json(std::string_view text) {
  const auto value = TRY(relabel(json::parse(text, detail::message_limits), JoseError::malformed));
  const auto& object = *TRY(relabel(value.as_object("jws"), JoseError::malformed));
  const auto payload = TRY(relabel(json::string_member(object, "payload", "jws"), JoseError::malformed));
  std::vector<UnverifiedJws> out;
  if (!object.contains("signatures")) {
    out.push_back(TRY(parse_signature(object, payload)));
    return out;
  }
  const auto& signatures = *TRY(relabel(json::array_member(object, "signatures", "jws"), JoseError::malformed));
  if (object.contains("signature") || signatures.empty() || signatures.size() > max_signatures) {
    return fail(JoseError::malformed, "a general JWS must have 1 to " + std::to_string(max_signatures) +
                                          " signatures and no member \"signature\"");
  }
  for (const auto& signature : signatures) {
    const auto* element = TRY(relabel(signature.as_object("jws.signatures[]"), JoseError::malformed));
    out.push_back(TRY(parse_signature(*element, payload)));
  }
  return out;
}

Result<> verify(const UnverifiedJws& jws, const crypto::PublicKey& key, std::span<const SignatureAlgorithm> allowed) {
  TRY(detail::refuse_critical(jws.header));
  const auto algorithm = parse_signature_algorithm(jws.alg);
  if (!algorithm || std::find(allowed.begin(), allowed.end(), *algorithm) == allowed.end()) {
    return fail(JoseError::algorithm_not_allowed,
                "the signature algorithm " + jws.alg.substr(0, 40) + " is not allowed here");
  }
  // The token must not choose how the key is used: an ES256 token under an RSA key is refused before any arithmetic.
  if (!crypto::fits(*algorithm, key.kind())) {
    return fail(JoseError::algorithm_not_allowed, "the signature algorithm " + jws.alg +
                                                      " does not belong to a key of kind " +
                                                      std::string{crypto::name_of(key.kind())});
  }
  if (key.verify(*algorithm, as_bytes(jws.signing_input), jws.signature)) return {};
  return fail(JoseError::bad_signature, "the " + jws.alg + " signature does not verify");
}

Result<std::string> sign_compact(json::Object header, ByteView payload, const crypto::PrivateKey& key,
                                 SignatureAlgorithm algorithm) {
  if (!crypto::fits(algorithm, key.kind())) {
    return fail(JoseError::bad_key, std::string{name_of(algorithm)} + " does not belong to a key of kind " +
                                        std::string{crypto::name_of(key.kind())});
  }
  const auto header_text = json::serialize(with_alg(std::move(header), algorithm));
  auto token = base64url_encode(as_bytes(header_text)) + "." + base64url_encode(payload);
  const auto signature = TRY(key.sign(algorithm, as_bytes(token)));
  return token + "." + base64url_encode(signature);
}

}  // namespace coffer::codec::jose
