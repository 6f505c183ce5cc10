#include "evidence/dcap/engine.h"

#include "base/log.h"
#include "codec/base64.h"
#include "crypto/hash.h"
#include "evidence/config_section.h"
#include "evidence/dcap/detail/little_endian.h"
#include "evidence/dcap/verified_collateral.h"
#include "evidence/verified_cache.h"
#include "net/url.h"

namespace coffer::evidence::dcap {

namespace {

constexpr std::string_view file_scheme = "file://";
constexpr std::string_view intel_host = "api.trustedservices.intel.com";

struct Settings {
  std::shared_ptr<Collateral> collateral;
  TcbUpdate update = TcbUpdate::early;
  bool caching_service = false;
  bool reject_expired = false;
};

Result<> use_service(ConfigSection& section, const std::string& service, Settings& settings) {
  if (service.starts_with(file_scheme)) {
    settings.collateral = TRY(collateral_following_file(TRY(net::percent_decode(service.substr(file_scheme.size())))));
    return {};
  }
  const auto url = net::Url::parse(service);
  if (!url) return section.bad("collateral_service", "a URL", url.error().message);
  settings.caching_service = url->host != intel_host;
  return {};
}

Result<Settings> read_settings(const VerifierOptions& options) {
  auto section = TRY(ConfigSection::open(options.config, "dcap_verifier"));
  Settings out{.collateral = options.collateral};
  if (const auto service = TRY(section.text("collateral_service"))) TRY(use_service(section, *service, out));
  const auto update = TRY(section.text("tcb_update_type"))
  .value_or("early");
  if (update != "early" && update != "standard") {
    return section.bad("tcb_update_type", "early or standard", "\"" + update + "\"");
  }
  out.update = update == "early" ? TcbUpdate::early : TcbUpdate::standard;
  out.reject_expired = TRY(section.flag("reject_expired_collateral", false));
  // Of Intel's quote library, which some copy into here. A service's certificate is always checked.
  if (!TRY(section.flag("use_secure_cert", true))) {
    log::warn("evidence.setting_ignored",
              "the certificate of a collateral service is checked all the same; name its authority among the roots of "
              "this system",
              {{"setting", "dcap_verifier.use_secure_cert"}, {"value", "false"}});
  }
  section.warn_of_unknown_keys();
  return out;
}

// A quoting enclave whose attestation key a PCK vouches for.
struct VerifiedQe {
  std::shared_ptr<const PckChain> pck;
  crypto::PublicKey attestation_key;
};

// Intel SGX ECDSA QuoteLibReference appendix A.4: QE report data is SHA-256 of attestation key and authentication data,
// then 32 zero bytes.
Result<> check_key_binding(const Quote& quote) {
  auto expected = crypto::sha256(concat({quote.attestation_key, quote.qe_authentication_data}));
  expected.resize(64);
  if (equal(quote.qe_report.report_data, expected)) return {};
  return fail(DcapError::qe_key_mismatch, "the quoting enclave's report data is expected to be " +
                                              codec::hex_encode(expected) + ", the digest of attestation key and " +
                                              "authentication data, found " +
                                              codec::hex_encode(quote.qe_report.report_data));
}

Result<VerifiedQe> verify_qe(const Quote& quote, std::shared_ptr<const PckChain> pck) {
  using crypto::SignatureAlgorithm;
  const auto report = pck->key.verify(SignatureAlgorithm::es256, quote.qe_report_bytes, quote.qe_report_signature);
  if (!report) {
    return fail(DcapError::bad_qe_signature,
                "the quoting enclave's report is not signed by the PCK: " + report.error().message);
  }
  TRY(check_key_binding(quote));
  auto key = crypto::PublicKey::from_ec_coordinates(crypto::KeyKind::ec_p256, quote.attestation_key.first(32),
                                                    quote.attestation_key.last(32));
  if (!key) return fail(DcapError::malformed_quote, "attestation key: " + key.error().message);
  return VerifiedQe{std::move(pck), *std::move(key)};
}

Result<> check_signature(const Quote& quote, const crypto::PublicKey& key) {
  const auto verified = key.verify(crypto::SignatureAlgorithm::es256, quote.signed_part, quote.signature);
  if (verified) return {};
  return fail(DcapError::bad_quote_signature,
              "the quote is not signed by its attestation key: " + verified.error().message);
}

class CachingEngine final : public Engine {
 public:
  CachingEngine(Settings settings, TrustedRoots roots) : settings_(std::move(settings)), roots_(std::move(roots)) {}

  Result<Appraisal> appraise(const Quote& quote, TimePoint now) const override {
    const auto qe = TRY(qe_of(quote));
    TRY(check_signature(quote, qe->attestation_key));
    const auto& pck = *qe->pck;
    const auto collateral = TRY(collateral_of(quote, pck, now));
    TRY(check_revocation(*collateral, pck));
    const auto dates = join(pck.dates, collateral->dates);
    TRY(check_dates(dates, now));
    TRY(check_tcb_info(collateral->tcb_info, pck.extensions, quote));
    return judge(quote, pck, *collateral, dates, now);
  }

 private:
  Result<std::shared_ptr<const VerifiedQe>> qe_of(const Quote& quote) const {
    // The signature over the quoting enclave's report lies within these bytes, and so does the chain.
    return quoting_enclaves_.get(as_text(quote.certification), [&]() -> Result<VerifiedQe> {
      auto pck = TRY(chains_.get(as_text(quote.pck_chain), [&] { return verify_pck_chain(quote.pck_chain, roots_); }));
      return verify_qe(quote, std::move(pck));
    });
  }

  Result<std::shared_ptr<const VerifiedCollateral>> collateral_of(const Quote& quote, const PckChain& pck,
                                                                  TimePoint now) const {
    if (settings_.collateral == nullptr) {
      return fail(EvidenceError::collateral_missing,
                  "the quote's signatures hold, but TCB info, enclave identity and revocation lists cannot be had: no "
                  "source of collateral was given");
    }
    const CollateralQuestion question{quote.tee, pck.extensions.fmspc, pck.ca_kind, settings_.update,
                                      settings_.caching_service};
    auto blobs = TRY(fetch(*settings_.collateral, question, now));
    const auto key = key_of(question, pck);
    if (auto kept = collaterals_.find(key); kept != nullptr && same(kept->blobs, blobs)) return kept;
    auto verified = std::make_shared<const VerifiedCollateral>(TRY(verify_collateral(std::move(blobs), pck, roots_)));
    collaterals_.put(key, verified);
    return verified;
  }

  // The CA is part of it, because its list was checked against it; so is the root by way of it.
  static std::string key_of(const CollateralQuestion& question, const PckChain& pck) {
    const auto bytes = concat({as_bytes(name_of(question.tee)), std::as_bytes(std::span{question.fmspc}), pck.ca.der(),
                               pck.root.certificate.der()});
    return std::string{as_text(bytes)};
  }

  Result<> check_dates(const Dates& dates, TimePoint now) const {
    if (dates.latest_issue > now) {
      return fail(DcapError::collateral_not_yet_valid, "the youngest certificate, list or statement was issued at " +
                                                           format_rfc3339(dates.latest_issue) + ", after " +
                                                           format_rfc3339(now));
    }
    if (!settings_.reject_expired || dates.earliest_expiration > now) return {};
    return fail(DcapError::collateral_expired, "a certificate, list or statement has expired at " +
                                                   format_rfc3339(dates.earliest_expiration) + ", before " +
                                                   format_rfc3339(now) + ", and reject_expired_collateral is set");
  }

  static Result<Appraisal> judge(const Quote& quote, const PckChain& pck, const VerifiedCollateral& collateral,
                                 const Dates& dates, TimePoint now) {
    const auto& info = collateral.tcb_info;
    const auto& identity = collateral.qe_identity;
    if (identity.tee != quote.tee) {
      return fail(DcapError::qe_identity_mismatch, "the enclave identity is expected to be for " +
                                                       std::string{name_of(quote.tee)} + ", found " +
                                                       std::string{name_of(identity.tee)});
    }
    const auto* qe = TRY(match_quoting_enclave(identity, quote.qe_report));
    auto verdict = TRY(judge_tcb(info, pck.extensions, quote, *qe));
    if (verdict.status == TcbStatus::revoked) {
      return fail(DcapError::tcb_revoked, "the TCB of " + format_rfc3339(verdict.date) + " is revoked");
    }
    return Appraisal{.tcb = std::move(verdict),
                     .dates = dates,
                     .expired = dates.earliest_expiration <= now,
                     .pck = pck.extensions,
                     .pck_crl_number = collateral.pck_crl.number().value_or(Bytes{}),
                     .root_crl_number = collateral.root_crl.number().value_or(Bytes{}),
                     .evaluation_number = std::min(info.evaluation_number, identity.evaluation_number),
                     .root_key_id = pck.root.key_id,
                     .simulated_root = pck.root.simulated};
  }

  Settings settings_;
  TrustedRoots roots_;
  mutable VerifiedCache<VerifiedQe> quoting_enclaves_;
  mutable VerifiedCache<PckChain> chains_;
  mutable VerifiedCache<VerifiedCollateral> collaterals_;
};

}  // namespace

Result<std::shared_ptr<const Engine>> Engine::create(TeeKind kind, const VerifierOptions& options) {
  return std::make_shared<const CachingEngine>(TRY(read_settings(options)),
                                               TrustedRoots{options.simulated_roots(kind)});
}

}  // namespace coffer::evidence::dcap
