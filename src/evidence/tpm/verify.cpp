#include <fmt/format.h>

#include "base/byte_reader.h"
#include "codec/base64.h"
#include "evidence/eventlog/event_log.h"
#include "evidence/init_data.h"
#include "evidence/tpm/boot_log.h"
#include "evidence/tpm/evidence.h"
#include "evidence/tpm/quote.h"
#include "evidence/tpm/tpm.h"
#include "evidence/tpm/trust.h"
#include "evidence/verified_cache.h"

namespace coffer::evidence::tpm {

namespace json = codec::json;

namespace {

constexpr std::size_t bound_size = 32;
constexpr std::size_t older_bound_size = 64;

// Guests cut or pad report data to 32 bytes; before 2025-11 they padded it to 64, which binds more.
Result<> check_report_data(const Quote& quote, ByteView report_data) {
  const auto expected = fit_digest(report_data, bound_size);
  if (equal(quote.extra_data, expected) || equal(quote.extra_data, fit_digest(report_data, older_bound_size))) {
    return {};
  }
  return fail(EvidenceError::report_data_mismatch, "qualifying data is expected to be " + codec::hex_encode(expected) +
                                                       ", the quote states " + codec::hex_encode(quote.extra_data));
}

Result<crypto::PublicKey> parse_ak(const Evidence& evidence) {
  auto key = crypto::PublicKey::from_spki_der(evidence.ak_public);
  if (!key) return fail(TpmError::bad_ak, "ak_public: " + key.error().message);
  // Policies compare the claim as text, so one key has one spelling.
  if (equal(key->to_spki_der(), evidence.ak_public)) return key;
  return fail(TpmError::bad_ak, "ak_public is not the DER encoding of its key");
}

json::Object claims_of(const Evidence& evidence, const AkTrust& trust, const PcrValues& pcrs) {
  auto out = pcr_claims(pcrs);
  out.set("ak_public", codec::base64_encode(evidence.ak_public));
  out.set("ak_trust", trust.how);
  return out;
}

void add_boot_log(json::Object& claims, BootLog log) {
  claims.set("uefi_event_logs", std::move(log.events));
  json::Array unexplained;
  for (const auto pcr : log.unexplained) unexplained.emplace_back(std::uint64_t{pcr});
  claims.set("unexplained_pcrs", std::move(unexplained));
}

class TpmVerifier final : public Verifier {
 public:
  TpmVerifier(TrustSettings settings, std::vector<crypto::Certificate> simulated_roots)
      : settings_(std::move(settings)), simulated_roots_(std::move(simulated_roots)) {}
  TeeKind kind() const override { return TeeKind::tpm; }

  Result<std::vector<Claims>> verify(const json::Value& value, const Binding& binding, TimePoint now) const override {
    const auto evidence = TRY(parse_evidence(value));
    const auto quote = TRY(parse_quote(evidence.message));
    const auto signature = TRY(parse_signature(evidence.signature));
    const auto ak = TRY(keys_.get(as_text(evidence.ak_public), [&] { return parse_ak(evidence); }));
    TRY(verify_signature(*ak, signature, evidence.message));
    const auto trust = TRY(judge(*ak, evidence, now));
    const auto pcrs = TRY(check_pcrs(quote, evidence.pcrs, signature.hash));
    if (binding.report_data) TRY(check_report_data(quote, *binding.report_data));
    if (binding.init_data_digest) TRY(check_init_data(pcrs, *binding.init_data_digest));
    Claims out{claims_of(evidence, trust, pcrs), codec::hex_encode(quote.extra_data)};
    if (const auto pcr = pcrs.find(init_data_pcr); pcr != pcrs.end()) out.init_data = codec::hex_encode(pcr->second);
    out.simulated_root = trust.simulated_root;
    if (evidence.event_log) add_boot_log(out.claims, TRY(check_boot_log(*evidence.event_log, pcrs)));
    if (!evidence.event_log && settings_.require_event_log) {
      return fail(TpmError::bad_event_log,
                  "the evidence carries no event log, but tpm_verifier.require_event_log is on");
    }
    return std::vector{std::move(out)};
  }

  Result<json::Value> with_certificates(const json::Value& value, std::span<const Bytes> certificates) const override {
    auto evidence = TRY(parse_evidence(value));
    evidence.ak_certificates.assign(certificates.begin(), certificates.end());
    return to_json(evidence);
  }

  Result<json::Object> inspect(const json::Value& value) const override {
    const auto evidence = TRY(parse_evidence(value));
    const auto quote = TRY(parse_quote(evidence.message));
    const auto signature = TRY(parse_signature(evidence.signature));
    json::Array pcrs;
    for (const auto& each : evidence.pcrs) pcrs.emplace_back(codec::hex_encode(each));
    json::Array certificates;
    for (const auto& each : evidence.ak_certificates) certificates.emplace_back(codec::hex_encode(each));
    json::Object out{{"ak_public", codec::hex_encode(evidence.ak_public)},
                     {"quote", describe(quote)},
                     {"signature", describe(signature)},
                     {"pcrs", std::move(pcrs)},
                     {"ak_cert", std::move(certificates)}};
    if (!evidence.event_log) return out;
    const auto log = eventlog::EventLog::parse(*evidence.event_log);
    if (!log) return fail(TpmError::bad_event_log, log.error().message);
    out.set("uefi_event_logs", log->claims());
    return out;
  }

 private:
  // judge_ak() with what was parsed before.
  Result<AkTrust> judge(const crypto::PublicKey& ak, const Evidence& evidence, TimePoint now) const {
    if (is_listed(ak, settings_)) return AkTrust{"listed"};
    ByteWriter all;
    for (const auto& each : evidence.ak_certificates) {
      all.u32_le(static_cast<std::uint32_t>(each.size())).bytes(each);
    }
    const auto chain =
        TRY(chains_.get(as_text(all.view()), [&] { return parse_certificates(evidence.ak_certificates); }));
    return judge_chain(ak, *chain, settings_, simulated_roots_, now);
  }

  // OpenSSL takes ten times as long to parse a key as to verify a signature with it.
  mutable VerifiedCache<crypto::PublicKey> keys_;
  mutable VerifiedCache<std::vector<crypto::Certificate>> chains_;
  TrustSettings settings_;
  std::vector<crypto::Certificate> simulated_roots_;
};

}  // namespace

Result<std::unique_ptr<Verifier>> make_verifier(TeeKind, const VerifierOptions& options) {
  auto settings = TRY(TrustSettings::read(options.config));
  const auto roots = options.simulated_roots(TeeKind::tpm);
  return std::make_unique<TpmVerifier>(std::move(settings),
                                       std::vector<crypto::Certificate>{roots.begin(), roots.end()});
}

}  // namespace coffer::evidence::tpm
