#include "evidence/dcap/trust.h"

#include <algorithm>

#include "codec/base64.h"
#include "codec/der.h"
#include "crypto/hash.h"
#include "evidence/options.h"

namespace coffer::evidence::dcap {

namespace {

constexpr std::string_view common_name = "2.5.4.3";
// Phrases of the subjects (Intel SGX PCK Certificate and CRL Profile, section 1.3): one root signs for several
// purposes.
constexpr std::string_view pck_phrase = "SGX PCK Certificate";
constexpr std::string_view platform_ca_phrase = "SGX PCK Platform CA";
constexpr std::string_view processor_ca_phrase = "SGX PCK Processor CA";
constexpr std::string_view signer_phrase = "SGX TCB Signing";

bool is_named(const crypto::Certificate& certificate, std::string_view phrase) {
  const auto name = certificate.subject_attribute(common_name);
  return name && name->find(phrase) != std::string::npos;
}

Result<> require_name(const crypto::Certificate& certificate, std::string_view phrase, DcapError code) {
  if (is_named(certificate, phrase)) return {};
  return fail(code,
              "the common name of '" + certificate.subject() + "' is expected to say '" + std::string{phrase} + "'");
}

Result<crypto::SignatureAlgorithm> algorithm_of(const crypto::PublicKey& key) {
  const auto algorithm = crypto::default_algorithm(key.kind());
  if (key.kind() == crypto::KeyKind::ec_p256 || key.kind() == crypto::KeyKind::ec_p384) return algorithm;
  return fail(DcapError::untrusted_root, "a root's key of kind " + std::string{name_of(key.kind())} + " is not known");
}

// Certificate ::= SEQUENCE { tbsCertificate, signatureAlgorithm, signature BIT STRING } (RFC 5280 section 4.1).
Result<> check_self_signed(const crypto::Certificate& root, const crypto::PublicKey& key) {
  constexpr std::uint8_t sequence = 0x30;
  constexpr std::uint8_t bit_string = 0x03;
  codec::der::Reader outer{root.der()};
  codec::der::Reader reader {
    TRY(outer.expect(sequence, "certificate"))
    .content
  };
  const auto signed_part = TRY(reader.expect(sequence, "tbsCertificate"));
  TRY(reader.expect(sequence, "signatureAlgorithm"));
  const auto signature = TRY(reader.expect(bit_string, "signature"));
  const auto unused_bits = signature.content.empty() ? signature.content : signature.content.subspan(1);
  const auto raw = TRY(crypto::ecdsa_from_der(key.kind(), unused_bits));
  return key.verify(TRY(algorithm_of(key)), signed_part.whole, raw);
}

TimePoint latest_begin(std::span<const crypto::Certificate> chain) {
  return std::ranges::max(chain, {}, &crypto::Certificate::not_before).not_before();
}

Dates dates_of(std::span<const crypto::Certificate> chain) {
  const auto first = std::ranges::min(chain, {}, &crypto::Certificate::not_before).not_before();
  const auto end = std::ranges::min(chain, {}, &crypto::Certificate::not_after).not_after();
  return {first, latest_begin(chain), end};
}

// Certificates that follow from each other in the order given, at the moment when the youngest was issued.
Result<> follow(std::span<const crypto::Certificate> chain, DcapError code) {
  crypto::ChainOptions options{.at = latest_begin(chain)};
  for (const auto& certificate : chain.subspan(1, chain.size() - 2)) options.intermediates.push_back(certificate);
  const auto verified = crypto::verify_chain(chain.front(), chain.last(1), options);
  if (!verified) return fail(code, verified.error().message);
  if (verified->size() == chain.size()) return {};
  return fail(code, "a chain of " + std::to_string(chain.size()) + " certificates was expected, and " +
                        std::to_string(verified->size()) + " lead to the root");
}

Result<std::vector<crypto::Certificate>> read_chain(std::string_view pem, std::size_t size, DcapError code) {
  // Quotes carry it as a C string.
  while (pem.ends_with('\0')) pem.remove_suffix(1);
  auto chain = crypto::Certificate::chain_from_pem(pem);
  if (!chain) return fail(code, chain.error().message);
  if (chain->size() == size) return *std::move(chain);
  return fail(
      code, "a chain of " + std::to_string(size) + " certificates is expected, found " + std::to_string(chain->size()));
}

// ECDSA P-256 is all that quotes and PCS version 4 sign with.
Result<crypto::PublicKey> p256_key(const crypto::Certificate& certificate, DcapError code) {
  auto key = certificate.public_key();
  if (!key) return fail(code, "'" + certificate.subject() + "': " + key.error().message);
  if (key->kind() == crypto::KeyKind::ec_p256) return *std::move(key);
  return fail(code, "the key of '" + certificate.subject() + "' is expected to be P-256, found " +
                        std::string{name_of(key->kind())});
}

Result<PckCa> ca_kind(const crypto::Certificate& ca) {
  if (is_named(ca, platform_ca_phrase)) return PckCa::platform;
  if (is_named(ca, processor_ca_phrase)) return PckCa::processor;
  return fail(DcapError::bad_pck_chain,
              "the PCK's CA is expected to be Intel's Platform or Processor CA, found '" + ca.subject() + "'");
}

Result<PckExtensions> extensions_of(const crypto::Certificate& pck) {
  const auto extension = pck.extension(sgx_extensions_oid);
  if (extension) return parse_pck_extensions(*extension);
  return fail(DcapError::bad_pck_extension,
              "the PCK certificate lacks the SGX extensions (" + std::string{sgx_extensions_oid} + ")");
}

Result<VerifiedRoot> as_verified(const crypto::Certificate& root, std::optional<std::string> simulated) {
  const auto key = TRY(root.public_key());
  const auto point = key.ec_coordinates();
  if (!point) return fail(DcapError::untrusted_root, "'" + root.subject() + "': " + point.error().message);
  return VerifiedRoot{root, crypto::sha384(concat({Bytes{std::byte{4}}, point->x, point->y})), std::move(simulated)};
}

}  // namespace

Dates join(const Dates& a, const Dates& b) {
  return {std::min(a.earliest_issue, b.earliest_issue), std::max(a.latest_issue, b.latest_issue),
          std::min(a.earliest_expiration, b.earliest_expiration)};
}

Result<VerifiedRoot> TrustedRoots::check(const crypto::Certificate& root) const {
  for (const auto& simulated : simulated_) {
    if (equal(simulated.der(), root.der())) return as_verified(root, simulated_subject(root));
  }
  if (const auto subject = simulated_subject(root)) {
    return fail(EvidenceError::simulated_refused,
                "the chain ends in a simulator's root that was not chosen by name: " + *subject);
  }
  const auto key = root.public_key();
  const auto digest = key ? codec::hex_encode(crypto::sha256(key->to_spki_der())) : "none";
  if (digest != intel_root_key_sha256) {
    return fail(DcapError::untrusted_root, "the root's key is expected to be Intel's (SHA-256 " +
                                               std::string{intel_root_key_sha256} + "), found " + digest + " of '" +
                                               root.subject() + "'");
  }
  if (const auto sound = check_self_signed(root, *key); !sound) {
    return fail(DcapError::untrusted_root,
                "a certificate with Intel's key that Intel did not sign: " + sound.error().message);
  }
  return as_verified(root, std::nullopt);
}

Result<PckChain> verify_pck_chain(ByteView pem, const TrustedRoots& roots) {
  const auto chain = TRY(read_chain(as_text(pem), 3, DcapError::bad_pck_chain));
  auto root = TRY(roots.check(chain[2]));
  TRY(follow(chain, DcapError::bad_pck_chain));
  TRY(require_name(chain[0], pck_phrase, DcapError::bad_pck_chain));
  return PckChain {
    .leaf = chain[0], .ca = chain[1], .root = std::move(root), .key = TRY(p256_key(chain[0], DcapError::bad_pck_chain))
    , .ca_kind = TRY(ca_kind(chain[1]))
    , .extensions = TRY(extensions_of(chain[0]))
    , .dates = dates_of(chain)
  };
}

Result<SignerChain> verify_signer_chain(std::string_view pem, const TrustedRoots& roots) {
  const auto chain = TRY(read_chain(pem, 2, DcapError::bad_collateral_chain));
  auto root = TRY(roots.check(chain[1]));
  TRY(follow(chain, DcapError::bad_collateral_chain));
  TRY(require_name(chain[0], signer_phrase, DcapError::bad_collateral_chain));
  return SignerChain {
    .signer = chain[0], .root = std::move(root), .key = TRY(p256_key(chain[0], DcapError::bad_collateral_chain))
    , .dates = dates_of(chain)
  };
}

Result<crypto::Crl> parse_crl(ByteView text) {
  const auto from_hex = codec::hex_decode(as_text(text));
  auto crl = crypto::Crl::parse(from_hex ? ByteView{*from_hex} : text);
  if (!crl) return fail(DcapError::bad_crl, crl.error().message);
  return *std::move(crl);
}

Result<> check_crl(const crypto::Crl& crl, const crypto::Certificate& issuer) {
  // At its own beginning: whether it still holds is judged with the other dates.
  const auto sound = crl.verify(issuer, crl.this_update());
  if (!sound) return fail(DcapError::bad_crl, sound.error().message);
  return {};
}

}  // namespace coffer::evidence::dcap
