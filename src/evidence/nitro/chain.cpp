#include "evidence/nitro/chain.h"

#include <algorithm>

#include "codec/base64.h"
#include "evidence/options.h"

namespace coffer::evidence::nitro {

namespace {

constexpr std::string_view key_usage_oid = "2.5.29.15";

Result<crypto::Certificate> parse_certificate(ByteView der, std::string_view which) {
  auto certificate = crypto::Certificate::from_der(der);
  if (certificate) return certificate;
  return fail(NitroError::bad_certificate,
              "the document's " + std::string{which} + " certificate: " + certificate.error().message);
}

// The first of the bundle, where it is trusted. Comparing the whole certificate pins key, name and validity alike.
Result<std::optional<std::string>> check_root(const crypto::Certificate& root,
                                              std::span<const crypto::Certificate> simulated_roots) {
  if (codec::hex_encode(root.sha256_fingerprint()) == aws_root_fingerprint) return std::nullopt;
  const auto same = [&](const crypto::Certificate& known) { return known.der() == root.der(); };
  if (std::ranges::any_of(simulated_roots, same)) return simulated_subject(root).value_or(root.subject());
  if (const auto subject = simulated_subject(root)) {
    return fail(EvidenceError::simulated_refused, "the document is a simulator's (\"" + *subject +
                                                      "\"), which was not chosen by name: `--allow-tee "
                                                      "simulated:nitro` with that root would");
  }
  return fail(NitroError::unknown_root, "the bundle is expected to begin with AWS's root (SHA-256 " +
                                            std::string{aws_root_fingerprint} + "), found \"" + root.subject() +
                                            "\" (SHA-256 " + codec::hex_encode(root.sha256_fingerprint()) + ")");
}

// attestation_process.md 3.2.3.3: the extension must be there and allow the certificate's part in the chain.
Result<> check_usage(const crypto::Certificate& certificate, crypto::KeyUsage usage, std::string_view name) {
  if (certificate.extension(key_usage_oid) && certificate.allows(usage)) return {};
  return fail(NitroError::bad_key_usage, "the keyUsage of \"" + certificate.subject() + "\" is expected to list " +
                                             std::string{name} + ", and does not");
}

Result<> check_usages(const std::vector<crypto::Certificate>& chain) {
  if (chain.front().is_ca()) {
    return fail(NitroError::bad_key_usage, "the document is expected to be signed by an end entity, found the CA \"" +
                                               chain.front().subject() + "\"");
  }
  TRY(check_usage(chain.front(), crypto::KeyUsage::digital_signature, "digitalSignature"));
  for (std::size_t i = 1; i < chain.size(); ++i) {
    TRY(check_usage(chain[i], crypto::KeyUsage::key_cert_sign, "keyCertSign"));
  }
  return {};
}

NitroError code_of(const Error& error) {
  if (error.code == crypto::CryptoError::not_valid_at_time) return NitroError::certificate_expired;
  return NitroError::untrusted;
}

}  // namespace

Result<crypto::PublicKey> leaf_key(const Payload& payload) {
  auto key = TRY(parse_certificate(payload.certificate, "leaf"))
  .public_key();
  if (!key) return fail(NitroError::bad_certificate, "the document's leaf certificate: " + key.error().message);
  if (key->kind() == crypto::KeyKind::ec_p384) return key;
  return fail(NitroError::bad_certificate, "the key of the document's leaf is expected to be P-384, found " +
                                               std::string{crypto::name_of(key->kind())});
}

Result<TrustedLeaf> verify_chain(const Payload& payload, std::span<const crypto::Certificate> simulated_roots,
                                 TimePoint at) {
  const auto leaf = TRY(parse_certificate(payload.certificate, "leaf"));
  const auto root = TRY(parse_certificate(payload.cabundle.front(), "root"));
  const auto simulated_root = TRY(check_root(root, simulated_roots));
  crypto::ChainOptions options{.at = at};
  for (std::size_t i = 1; i < payload.cabundle.size(); ++i) {
    options.intermediates.push_back(TRY(parse_certificate(payload.cabundle[i], "intermediate")));
  }
  const auto chain = crypto::verify_chain(leaf, {&root, 1}, options);
  if (!chain) return fail(code_of(chain.error()), "the document's certificates: " + chain.error().message);
  TRY(check_usages(*chain));
  auto key = TRY(leaf_key(payload));
  TrustedLeaf out{std::move(key), simulated_root, root.not_before(), root.not_after()};
  for (const auto& certificate : *chain) {
    out.valid_from = std::max(out.valid_from, certificate.not_before());
    out.valid_until = std::min(out.valid_until, certificate.not_after());
  }
  return out;
}

}  // namespace coffer::evidence::nitro
