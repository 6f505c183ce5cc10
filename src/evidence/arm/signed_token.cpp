#include "evidence/arm/signed_token.h"

#include <algorithm>
#include <array>

#include "codec/base64.h"
#include "evidence/cbor_fields.h"
#include "evidence/options.h"

namespace coffer::evidence::arm {

namespace cbor = codec::cbor;

namespace {

constexpr std::int64_t label_algorithm = 1;
constexpr std::int64_t label_content_type = 3;
constexpr std::int64_t label_key_id = 4;
constexpr std::int64_t label_x5chain = 33;  // RFC 9360 section 2
constexpr std::size_t max_chain = 4;
constexpr std::size_t max_certificate = 4096;

constexpr std::array algorithms{crypto::SignatureAlgorithm::es256, crypto::SignatureAlgorithm::es384,
                                crypto::SignatureAlgorithm::es512, crypto::SignatureAlgorithm::eddsa};

Result<> check_labels(const cbor::Value& header, std::int64_t first, std::int64_t second, const TokenCodes& codes,
                      const std::string& what) {
  for (const auto& [label, value] : *header.if_map()) {
    const auto number = label.if_int64();
    if (number == first || number == second) continue;
    return fail(codes.malformed, what + ": its header holds a label that such tokens do not have" +
                                     (number ? ", " + std::to_string(*number) : ""));
  }
  return {};
}

Result<std::vector<Bytes>> read_chain(const cbor::Value& header, const TokenCodes& codes, const std::string& what) {
  const auto* value = header.find(label_x5chain);
  if (value == nullptr) return std::vector<Bytes>{};
  const auto fields = TRY(CborFields::open(header, codes.malformed, what));
  // One certificate stands alone, several in an array.
  std::vector<Bytes> out;
  if (value->if_bytes() != nullptr) {
    out.push_back(TRY(fields.bytes(value, "x5chain", {1, max_certificate})));
    return out;
  }
  const auto* array = value->if_array();
  if (array == nullptr || array->empty() || array->size() > max_chain) {
    return fields.bad("x5chain", "1 to 4 certificates", type_name(*value));
  }
  for (const auto& each : *array) out.push_back(TRY(fields.bytes(&each, "x5chain's entry", {1, max_certificate})));
  return out;
}

std::unexpected<Error> no_key(ByteView instance_id, const SignerSearch& search, const std::string& what) {
  return fail(EvidenceError::collateral_missing, what + " is of the instance " + codec::hex_encode(instance_id) +
                                                     ", for which " + search.setting + " has no key");
}

// The last certificate stands for the root: it must be one of the simulator's, byte for byte.
Result<TokenSigner> signer_by_chain(const SignedToken& token, const SignerSearch& search, const TokenCodes& codes,
                                    const std::string& what, TimePoint now) {
  std::vector<crypto::Certificate> chain;
  for (const auto& der : token.x5chain) {
    auto certificate = crypto::Certificate::from_der(der);
    if (!certificate) return fail(codes.untrusted, what + ": its x5chain: " + certificate.error().message);
    chain.push_back(*std::move(certificate));
  }
  const auto& root = chain.back();
  const auto subject = simulated_subject(root);
  if (!subject) {
    return fail(codes.untrusted, what + ": its x5chain is expected to end in a simulator's root, found \"" +
                                     root.subject() + "\"; keys of hardware are trusted by " + search.setting);
  }
  const auto same = [&](const crypto::Certificate& known) { return known.der() == root.der(); };
  if (std::ranges::none_of(search.simulated_roots, same)) {
    return fail(EvidenceError::simulated_refused, what + " is a simulator's (\"" + *subject +
                                                      "\"), which was not chosen by name: `--allow-tee simulated:" +
                                                      std::string{wire_name(search.kind)} + "` with that root would");
  }
  const auto verified =
      crypto::verify_chain(chain.front(), {&root, 1}, {.at = now, .intermediates = {chain.begin() + 1, chain.end()}});
  if (!verified) return fail(codes.untrusted, what + ": its x5chain: " + verified.error().message);
  auto key = chain.front().public_key();
  if (!key) return fail(codes.untrusted, what + ": its x5chain: " + key.error().message);
  TRY(verify_signature(token, *key, codes, what));
  return TokenSigner{*std::move(key), subject};
}

}  // namespace

Result<SignedToken> parse_signed_token(ByteView token, const TokenCodes& codes, const std::string& what) {
  auto message = codec::cose::Sign1::parse(token);
  if (!message) return fail(codes.malformed, what + ": " + message.error().message);
  if (message->detached) return fail(codes.malformed, what + " is expected to carry its payload, found it detached");
  TRY(check_labels(message->protected_header, label_algorithm, label_content_type, codes, what));
  TRY(check_labels(message->unprotected_header, label_key_id, label_x5chain, codes, what));
  auto chain = TRY(read_chain(message->unprotected_header, codes, what));
  return SignedToken{*std::move(message), std::move(chain)};
}

Result<> verify_signature(const SignedToken& token, const crypto::PublicKey& key, const TokenCodes& codes,
                          const std::string& what) {
  const auto verified = codec::cose::verify(token.message, key, algorithms);
  if (verified) return {};
  return fail(codes.bad_signature, what + ": its signature: " + verified.error().message);
}

Result<TokenSigner> verify_by_trusted_key(const SignedToken& token, ByteView instance_id, ByteView implementation_id,
                                          const SignerSearch& search, const TokenCodes& codes, const std::string& what,
                                          TimePoint now) {
  if (!token.x5chain.empty()) return signer_by_chain(token, search, codes, what, now);
  const auto candidates = keys_for(search.trusted_keys, instance_id, implementation_id);
  if (candidates.empty()) return no_key(instance_id, search, what);
  Result<> last;
  for (const auto* candidate : candidates) {
    last = verify_signature(token, candidate->key, codes, what);
    if (last) return TokenSigner{candidate->key, std::nullopt, !candidate->instance_id};
  }
  return fail(last.error());
}

}  // namespace coffer::evidence::arm
