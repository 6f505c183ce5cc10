#include <algorithm>
#include <array>

#include "codec/base64.h"
#include "evidence/snp/endorsement.h"
#include "evidence/snp/snp.h"
#include "evidence/snp/sources.h"

namespace coffer::evidence::snp {

namespace {

constexpr std::uint32_t ecdsa_p384_sha384 = 1;

std::unexpected<Error> differs(SnpError code, std::string_view what, std::string_view expected,
                               std::string_view found) {
  return fail(code, std::string{what} + ": expected " + std::string{expected} + ", found " + std::string{found});
}

// 56860 section 7.3, SIGNATURE_ALGO and KEY_INFO.
Result<SigningKey> check_signed(const Report& report) {
  if (report.sig_algo != ecdsa_p384_sha384) {
    return differs(SnpError::unsupported_algorithm, "the report's signature algorithm", "1 (ECDSA P-384 with SHA-384)",
                   std::to_string(report.sig_algo));
  }
  const auto key = TRY(report.signing_key());
  if (key == SigningKey::none || report.chip_key_masked()) {
    return fail(SnpError::unsigned_report, "the firmware was configured not to sign reports (MASK_CHIP_KEY)");
  }
  return key;
}

// From version 3 on the report names its processor; before, the certificate does.
Result<std::optional<Product>> check_product(const Report& report) {
  if (report.version < 3) return std::nullopt;
  if (const auto product = report.product()) return product;
  const std::array<std::byte, 2> cpuid{std::byte{report.cpuid_fam_id.value_or(0)},
                                       std::byte{report.cpuid_mod_id.value_or(0)}};
  return differs(SnpError::unsupported_product, "the processor's family and model", "one of Milan, Genoa or Turin",
                 "0x" + codec::hex_encode(cpuid));
}

std::vector<ByteView> of_types(std::span<const CertificateEntry> certificates, auto... types) {
  std::vector<ByteView> out;
  for (const auto& certificate : certificates) {
    if (((certificate.type == types) || ...)) out.emplace_back(certificate.data);
  }
  return out;
}

std::optional<ByteView> first_of(std::span<const CertificateEntry> certificates, CertificateType type) {
  const auto found = std::ranges::find(certificates, type, &CertificateEntry::type);
  return found == certificates.end() ? std::nullopt : std::optional<ByteView>{found->data};
}

// The host may send both kinds; the one that the report names signs it.
Result<std::optional<ByteView>> sent_key(std::span<const CertificateEntry> certificates, SigningKey kind) {
  if (certificates.empty()) return std::nullopt;
  const auto vcek = first_of(certificates, CertificateType::vcek);
  const auto vlek = first_of(certificates, CertificateType::vlek);
  if (const auto& wanted = kind == SigningKey::vlek ? vlek : vcek) return wanted;
  if (vcek || vlek) {
    return differs(SnpError::wrong_signing_key, "the certificates' endorsement key", name_of(kind),
                   vcek ? "VCEK" : "VLEK");
  }
  return fail(SnpError::no_endorsement_key, "the evidence carries " + std::to_string(certificates.size()) +
                                                " certificates, but neither a VCEK nor a VLEK");
}

// 57230 section 3.1: the key is derived from the chip and the reported TCB, so its certificate must name both.
Result<> check_fields(const Report& report, SigningKey kind, const std::optional<Product>& product,
                      const EndorsementFields& fields) {
  if (fields.kind != kind) {
    return differs(SnpError::wrong_signing_key, "the kind of the endorsement key", name_of(kind), name_of(fields.kind));
  }
  if (product && *product != fields.product) {
    return differs(SnpError::wrong_product, "the product line of the endorsement key", name_of(*product),
                   name_of(fields.product));
  }
  if (fields.tcb != report.reported_tcb) {
    return differs(SnpError::wrong_tcb, "the TCB of the endorsement key", to_text(report.reported_tcb),
                   to_text(fields.tcb));
  }
  // A VLEK belongs to no chip; a masked identifier says nothing, and the VCEK's own signature then names the chip.
  if (!fields.hardware_id || report.chip_id_masked()) return {};
  auto expected = *fields.hardware_id;
  expected.resize(report.chip_id.size());
  if (equal(expected, report.chip_id)) return {};
  return differs(SnpError::wrong_chip, "the chip of the endorsement key", codec::hex_encode(report.chip_id),
                 codec::hex_encode(*fields.hardware_id));
}

// 56860 section 10.2: over bytes 0 to 0x29F.
Result<> check_signature(const Report& report, const crypto::PublicKey& key) {
  const auto signature =
      crypto::ecdsa_from_little_endian(crypto::KeyKind::ec_p384, report.signature.r, report.signature.s);
  if (!signature) return fail(SnpError::bad_signature, "the report's signature: " + signature.error().message);
  const auto raw = report.encode();
  if (key.verify(crypto::SignatureAlgorithm::es384, ByteView{raw}.first(signed_size), *signature)) return {};
  return fail(SnpError::bad_signature, "the endorsement key's signature does not cover this report");
}

// Only VMPL 0 speaks for the whole guest; upstream demands it as well.
Result<> check_vmpl(const Report& report) {
  if (report.vmpl == 0) return {};
  return differs(SnpError::wrong_vmpl, "the privilege level that asked for the report", "VMPL 0",
                 "VMPL " + std::to_string(report.vmpl));
}

class Implementation final : public ReportVerifier {
 public:
  Implementation(SnpConfig config, const VerifierOptions& options, TeeKind kind)
      : sources_(std::move(config), options.collateral), endorsements_(options.simulated_roots(kind)) {}

  Result<ReportVerdict> verify(const Report& report, std::span<const CertificateEntry> certificates,
                               TimePoint now) const override {
    const auto kind = TRY(check_signed(report));
    const auto product = TRY(check_product(report));
    const auto endorsement = TRY(endorse(report, kind, product, certificates, now));
    TRY(check_fields(report, kind, product, endorsement->fields));
    TRY(check_signature(report, endorsement->key));
    TRY(check_vmpl(report));
    return ReportVerdict{endorsement->fields.product, kind, endorsement->simulated_root};
  }

 private:
  using Verified = std::shared_ptr<const Endorsement>;

  Result<Verified> endorse(const Report& report, SigningKey kind, const std::optional<Product>& product,
                           std::span<const CertificateEntry> certificates, TimePoint now) const {
    const auto asking = sources_.asking(now);
    const auto sent = TRY(sent_key(certificates, kind));
    const auto fetched = sent ? Bytes{} : TRY(fetch(report, kind, product, asking));
    EndorsementInput input{
        .certificate = sent.value_or(fetched),
        .intermediates = of_types(certificates, CertificateType::ask, CertificateType::ark),
        .revocation_lists = of_types(certificates, CertificateType::crl),
    };
    const bool lacks_signer = kind == SigningKey::vlek ? !has_issuer(input) : is_simulated_alone(input);
    if (!lacks_signer && !sources_.checks_revocation()) return endorsements_.verify(input, now);
    const auto line = product ? *product : TRY(product_of(input.certificate));
    const auto signers = lacks_signer ? TRY(signers_of(line, kind, asking)) : std::vector<Bytes>{};
    input.intermediates.insert(input.intermediates.end(), signers.begin(), signers.end());
    const auto list = TRY(sources_.revocation_list(line, kind, asking));
    if (list) input.revocation_lists.emplace_back(*list);
    return endorsements_.verify(input, now);
  }

  Result<std::vector<Bytes>> signers_of(Product line, SigningKey kind, const Asking& asking) const {
    if (kind == SigningKey::vcek) return sources_.vcek_chain(line, asking);
    std::vector<Bytes> out;
    out.push_back(TRY(sources_.asvk(line, asking)));
    return out;
  }

  // AMD's own signers of VCEKs are known; a simulator's come along, or from the KDS as the VCEK did.
  bool is_simulated_alone(const EndorsementInput& input) const {
    if (!input.intermediates.empty() || !endorsements_.knows_simulators()) return false;
    const auto leaf = crypto::Certificate::from_der(input.certificate);
    return leaf && endorsements_.is_below_simulator(*leaf);
  }

  Result<Bytes> fetch(const Report& report, SigningKey kind, const std::optional<Product>& product,
                      const Asking& asking) const {
    if (kind == SigningKey::vlek) {
      return fail(EvidenceError::collateral_missing,
                  "the report is signed by a VLEK, which only its host can provide, and the evidence lacks it");
    }
    if (product) return sources_.vcek(report, *product, asking);
    if (report.turin_layout()) return sources_.vcek(report, Product::turin, asking);
    auto vcek = sources_.vcek(report, Product::milan, asking);
    return vcek ? vcek : sources_.vcek(report, Product::genoa, asking);
  }

  static Result<Product> product_of(ByteView certificate) {
    const auto parsed = crypto::Certificate::from_der(certificate);
    if (!parsed) {
      return fail(SnpError::bad_certificate,
                  "the endorsement key's certificate does not parse: " + parsed.error().message);
    }
    return TRY(read_endorsement(*parsed))
    .product;
  }

  // Whether some certificate of the evidence may have signed the VLEK. AMD's ASKs sign VCEKs alone.
  static bool has_issuer(const EndorsementInput& input) {
    const auto leaf = crypto::Certificate::from_der(input.certificate);
    return leaf && std::ranges::any_of(input.intermediates, [&](ByteView der) {
             const auto issuer = crypto::Certificate::from_der(der);
             return issuer && issuer->subject_der() == leaf->issuer_der();
           });
  }

  EndorsementSources sources_;
  EndorsementVerifier endorsements_;
};

}  // namespace

Result<std::shared_ptr<const ReportVerifier>> ReportVerifier::create(TeeKind kind, const VerifierOptions& options) {
  return std::make_shared<const Implementation>(TRY(SnpConfig::read(options.config)), options, kind);
}

}  // namespace coffer::evidence::snp
