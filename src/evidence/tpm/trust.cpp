#include "evidence/tpm/trust.h"

#include <algorithm>

#include "base/log.h"
#include "codec/base64.h"
#include "evidence/config_section.h"
#include "evidence/eventlog/agent_event_log.h"
#include "evidence/tpm/error.h"

namespace coffer::evidence::tpm {

namespace fs = std::filesystem;

namespace {

// TCG EK Credential Profile 2.5, section 3.1.2: tcg-kp-EKCertificate and tcg-kp-AIKCertificate.
constexpr std::string_view ek_purpose = "2.23.133.8.1";
constexpr std::string_view ak_purpose = "2.23.133.8.3";

Result<std::string> read_text(const fs::path& file, const ConfigSection& section, std::string_view key) {
  const auto content = eventlog::read_log_file(file);
  if (!content) return section.bad(key, "a readable file", content.error().message);
  const auto& bytes = *content;
  if (!bytes) return section.bad(key, "a readable file", file.string() + ", which does not exist");
  return coffer::to_text(*bytes);
}

Result<std::vector<crypto::PublicKey>> read_keys(const fs::path& directory, const ConfigSection& section) {
  constexpr std::string_view key = "trusted_ak_keys_dir";
  std::error_code error;
  // Upstream's own configurations name a folder that is not there. It holds no key, so none is trusted.
  if (!fs::exists(directory, error) && (!error || error == std::errc::no_such_file_or_directory)) {
    log::warn("tpm.no_trusted_keys", "the folder of trusted attestation keys does not exist; every TPM is refused",
              {{"setting", "tpm_verifier.trusted_ak_keys_dir"}, {"folder", directory.string()}});
    return std::vector<crypto::PublicKey>{};
  }
  std::vector<fs::path> files;
  for (fs::directory_iterator each{directory, error}, end; !error && each != end; each.increment(error)) {
    if (each->path().extension() == ".pem" || each->path().extension() == ".pub") files.push_back(each->path());
  }
  if (error) return section.bad(key, "a readable folder", directory.string() + ": " + error.message());
  std::ranges::sort(files);
  std::vector<crypto::PublicKey> out;
  for (const auto& file : files) {
    auto parsed = crypto::PublicKey::from_pem(TRY(read_text(file, section, key)));
    if (!parsed) return section.bad(key, "public keys in PEM", file.string() + ": " + parsed.error().message);
    out.push_back(*std::move(parsed));
  }
  return out;
}

Result<std::vector<crypto::Certificate>> read_roots(const fs::path& file, const ConfigSection& section) {
  constexpr std::string_view key = "ek_roots";
  auto roots = crypto::Certificate::chain_from_pem(TRY(read_text(file, section, key)));
  if (!roots) return section.bad(key, "certificates in PEM", file.string() + ": " + roots.error().message);
  return roots;
}

std::unexpected<Error> bad_certificate(std::string text) {
  return fail(TpmError::bad_ak_certificate, "the attestation key's certificate " + std::move(text));
}

bool has_purpose(const crypto::Certificate& certificate) {
  const auto purposes = certificate.extended_key_usages();
  if (!purposes) return true;
  return std::ranges::any_of(*purposes, [](const auto& each) { return each == ek_purpose || each == ak_purpose; });
}

// A certificate that says of itself that a simulator issued it.
bool bears_mark(std::span<const crypto::Certificate> chain) {
  return std::ranges::any_of(chain, [](const crypto::Certificate& each) {
    const auto names = concat({each.issuer_der(), each.subject_der()});
    return as_text(names).contains(simulator_mark);
  });
}

// The root that the chain leads to.
Result<crypto::Certificate> verify_certificate(const crypto::PublicKey& ak,
                                               std::span<const crypto::Certificate> certificates,
                                               std::span<const crypto::Certificate> roots, TimePoint now) {
  const auto& leaf = certificates.front();
  const auto key = leaf.public_key();
  if (!key) return bad_certificate("has no key that may sign: " + key.error().message);
  if (!(*key == ak)) return bad_certificate("(" + leaf.subject() + ") is another key's");
  if (!has_purpose(leaf)) return bad_certificate("(" + leaf.subject() + ") is not for a TPM's key");
  crypto::ChainOptions options{.at = now};
  options.intermediates.assign(certificates.begin() + 1, certificates.end());
  const auto chain = crypto::verify_chain(leaf, roots, options);
  if (!chain) return bad_certificate("is refused: " + chain.error().message);
  return chain->back();
}

std::unexpected<Error> untrusted(const crypto::PublicKey& ak, std::string_view why) {
  return fail(TpmError::untrusted_ak, "attestation key with SHA-256 " +
                                          codec::hex_encode(crypto::sha256(ak.to_spki_der())) + " " + std::string{why});
}

}  // namespace

Result<TrustSettings> TrustSettings::read(const codec::json::Object& verifier_config) {
  auto section = TRY(ConfigSection::open(verifier_config, "tpm_verifier"));
  TrustSettings out;
  if (const auto directory = TRY(section.text("trusted_ak_keys_dir"))) {
    out.trusted_keys = TRY(read_keys(*directory, section));
    out.restricted = true;
  }
  if (const auto file = TRY(section.text("ek_roots"))) {
    out.ek_roots = TRY(read_roots(*file, section));
    out.restricted = true;
  }
  out.require_event_log = TRY(section.flag("require_event_log", false));
  section.warn_of_unknown_keys();
  return out;
}

Result<std::vector<crypto::Certificate>> parse_certificates(std::span<const Bytes> certificates) {
  std::vector<crypto::Certificate> out;
  for (const auto& der : certificates) {
    auto parsed = crypto::Certificate::from_der(der);
    if (!parsed) return bad_certificate("does not parse: " + parsed.error().message);
    out.push_back(*std::move(parsed));
  }
  return out;
}

bool is_listed(const crypto::PublicKey& ak, const TrustSettings& settings) {
  return std::ranges::find(settings.trusted_keys, ak) != settings.trusted_keys.end();
}

Result<AkTrust> judge_ak(const crypto::PublicKey& ak, std::span<const Bytes> certificates,
                         const TrustSettings& settings, std::span<const crypto::Certificate> simulated_roots,
                         TimePoint now) {
  if (is_listed(ak, settings)) return AkTrust{"listed"};
  return judge_chain(ak, TRY(parse_certificates(certificates)), settings, simulated_roots, now);
}

Result<AkTrust> judge_chain(const crypto::PublicKey& ak, std::span<const crypto::Certificate> chain,
                            const TrustSettings& settings, std::span<const crypto::Certificate> simulated_roots,
                            TimePoint now) {
  const bool restricted = settings.restricted || !simulated_roots.empty();
  if (chain.empty()) {
    if (restricted) return untrusted(ak, "is not among the trusted keys and has no certificate");
    return AkTrust{"unverified"};
  }
  if (simulated_roots.empty() && bears_mark(chain)) {
    return fail(EvidenceError::simulated_refused,
                "the attestation key is certified by a simulator: " + chain.front().issuer());
  }
  auto roots = settings.ek_roots;
  roots.insert(roots.end(), simulated_roots.begin(), simulated_roots.end());
  if (roots.empty()) {
    if (restricted) return untrusted(ak, "is not among the trusted keys, and no root is configured for certificates");
    return AkTrust{"unverified"};
  }
  const auto root = TRY(verify_certificate(ak, chain, roots, now));
  const auto is_root = [&root](const crypto::Certificate& each) { return each.der() == root.der(); };
  if (std::ranges::any_of(settings.ek_roots, is_root)) return AkTrust{"certified"};
  return AkTrust{"certified", simulated_subject(root)};
}

}  // namespace coffer::evidence::tpm
