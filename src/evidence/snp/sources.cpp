#include "evidence/snp/sources.h"

#include <fstream>

#include "codec/base64.h"
#include "crypto/crl.h"

namespace coffer::evidence::snp {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t max_file_size = 64U << 10;

std::string two_digits(unsigned number) {
  return (number < 10 ? "0" : "") + std::to_string(number);
}

// "blSPL=03&teeSPL=00&..." and "bl03_tee00_...": the same numbers in the order and spelling of each.
std::string tcb_query(const TcbVersion& tcb) {
  return (tcb.fmc ? "fmcSPL=" + two_digits(*tcb.fmc) + "&" : "") + "blSPL=" + two_digits(tcb.bootloader) +
         "&teeSPL=" + two_digits(tcb.tee) + "&snpSPL=" + two_digits(tcb.snp) + "&ucodeSPL=" + two_digits(tcb.microcode);
}

std::string tcb_file_name(const TcbVersion& tcb) {
  return "bl" + two_digits(tcb.bootloader) + "_tee" + two_digits(tcb.tee) + "_snp" + two_digits(tcb.snp) + "_ucode" +
         two_digits(tcb.microcode) + (tcb.fmc ? "_fmc" + two_digits(*tcb.fmc) : "");
}

std::unexpected<Error> not_the_item(std::string_view what, const Error& why) {
  return fail(CollateralError::malformed, "what came is no " + std::string{what} + ": " + why.message);
}

Result<CollateralValidity> inspect_certificate(const CollateralBlob& blob) {
  const auto certificate = crypto::Certificate::from_der(blob.body);
  if (!certificate) return not_the_item("certificate in DER", certificate.error());
  // A VCEK stands for its chip and TCB for ever; whether it has expired is judged with the chain.
  return CollateralValidity{};
}

Result<CollateralValidity> inspect_chain(const CollateralBlob& blob) {
  const auto chain = crypto::Certificate::chain_from_pem(as_text(blob.body));
  if (!chain) return not_the_item("certificate chain in PEM", chain.error());
  return CollateralValidity{};
}

Result<CollateralValidity> inspect_crl(const CollateralBlob& blob) {
  const auto crl = crypto::Crl::parse(blob.body);
  if (!crl) return not_the_item("revocation list", crl.error());
  return CollateralValidity{crl->this_update(), crl->next_update()};
}

Result<Bytes> read_file(const fs::path& path) {
  std::ifstream in{path, std::ios::binary};
  Bytes content(max_file_size + 1);
  in.read(reinterpret_cast<char*>(content.data()), static_cast<std::streamsize>(content.size()));
  if (!in.is_open() || in.bad() || in.gcount() > static_cast<std::streamsize>(max_file_size)) {
    return fail(EvidenceError::collateral_missing, path.string() + " cannot be read, or is larger than 64 KiB");
  }
  content.resize(static_cast<std::size_t>(in.gcount()));
  return content;
}

Result<Bytes> from_store(const OfflineStore& store, const Report& report, Product product) {
  const auto folder = store.path / "vcek" / hardware_id_text(report, product);
  const auto exact = folder / (tcb_file_name(report.reported_tcb) + "_vcek.der");
  std::error_code failure;
  if (fs::exists(exact, failure)) return read_file(exact);
  if (failure) {
    return fail(EvidenceError::collateral_missing, exact.string() + " cannot be read: " + failure.message());
  }
  return read_file(folder / "vcek.der");
}

Result<VcekSource> read_source(const ConfigSection& section, const codec::json::Value& value) {
  const auto* type = value.find("type");
  const auto* name = type == nullptr ? nullptr : type->if_string();
  const auto setting = [&](std::string_view key) -> Result<std::optional<std::string>> {
    auto text = codec::json::optional_string_member(*value.if_object(), key, "snp_verifier.vcek_sources");
    if (!text) return fail(EvidenceError::bad_config, text.error().message);
    return text;
  };
  if (name != nullptr && *name == "KDS") return KdsSource {
      TRY(setting("base_url"))
      .value_or("")
    };
  if (name != nullptr && *name == "OfflineStore") {
    const auto path = TRY(setting("path"));
    return path ? OfflineStore{*path} : OfflineStore{};
  }
  return section.bad("vcek_sources[].type", "\"KDS\" or \"OfflineStore\"",
                     name == nullptr ? std::string{"none"} : "\"" + *name + "\"");
}

}  // namespace

Result<SnpConfig> SnpConfig::read(const codec::json::Object& verifier_config) {
  auto section = TRY(ConfigSection::open(verifier_config, "snp_verifier"));
  SnpConfig out;
  if (const auto* sources = TRY(section.array("vcek_sources"))) {
    out.vcek_sources.clear();
    for (const auto& source : *sources) out.vcek_sources.push_back(TRY(read_source(section, source)));
  }
  const auto checks = TRY(section.text("revocation_checks"))
  .value_or("given");
  if (checks == "required") {
    out.revocation_checks = RevocationChecks::required;
  } else if (checks != "given") {
    return section.bad("revocation_checks", "\"given\" or \"required\"", "\"" + checks + "\"");
  }
  section.warn_of_unknown_keys();
  return out;
}

std::string hardware_id_text(const Report& report, Product product) {
  return codec::hex_encode(ByteView{report.chip_id}.first(product == Product::turin ? 8 : 64));
}

CollateralItem vcek_item(const Report& report, Product product, const std::string& base_url) {
  const auto chip = hardware_id_text(report, product);
  const std::string line{name_of(product)};
  return {.kind = "amd-vcek",
          .key = line + "-" + chip + "-" + tcb_file_name(report.reported_tcb),
          .service = base_url.empty() ? "amd-kds" : base_url,
          .path = "/vcek/v1/" + line + "/" + chip + "?" + tcb_query(report.reported_tcb),
          .chain_header = "",
          .inspect = inspect_certificate};
}

namespace {

CollateralItem chain_item(std::string kind, const std::string& family, Product product) {
  const std::string line{name_of(product)};
  return {.kind = std::move(kind),
          .key = line,
          .service = "amd-kds",
          .path = "/" + family + "/v1/" + line + "/cert_chain",
          .chain_header = "",
          .inspect = inspect_chain};
}

}  // namespace

CollateralItem vcek_chain_item(Product product) {
  return chain_item("amd-vcek-chain", "vcek", product);
}

CollateralItem vlek_chain_item(Product product) {
  return chain_item("amd-vlek-chain", "vlek", product);
}

CollateralItem crl_item(Product product, SigningKey kind) {
  const std::string line{name_of(product)};
  const std::string family = kind == SigningKey::vlek ? "vlek" : "vcek";
  return {.kind = "amd-crl",
          .key = family + "-" + line,
          .service = "amd-kds",
          .path = "/" + family + "/v1/" + line + "/crl",
          .chain_header = "",
          .inspect = inspect_crl};
}

Result<std::shared_ptr<const CollateralBlob>> EndorsementSources::get(CollateralItem item, const Asking& asking) const {
  if (collateral_ == nullptr) {
    return fail(EvidenceError::collateral_missing,
                "the evidence lacks " + item.kind + " " + item.key + ", and this verifier has no store of collateral");
  }
  item.deadline = asking.deadline;
  auto blob = collateral_->get(item, asking.at);
  if (blob) return blob;
  return fail(cannot_be_had(item, blob.error()));
}

Result<Bytes> EndorsementSources::vcek(const Report& report, Product product, const Asking& asking) const {
  if (report.chip_id_masked()) {
    return fail(EvidenceError::collateral_missing,
                "the evidence carries no certificate, and none can be asked for because the host masks the chip's "
                "identifier; let the host provide the certificates, or unmask it");
  }
  Error refusal{EvidenceError::collateral_missing, "no source of VCEKs is configured (snp_verifier.vcek_sources)"};
  std::string reasons;
  for (const auto& source : config_.vcek_sources) {
    Result<Bytes> found{};
    if (const auto* store = std::get_if<OfflineStore>(&source)) {
      found = from_store(*store, report, product);
    } else {
      const auto blob = get(vcek_item(report, product, std::get<KdsSource>(source).base_url), asking);
      found = blob ? Result<Bytes>{(*blob)->body} : fail(blob.error());
    }
    if (found) return found;
    refusal = std::move(found).error();
    reasons += (reasons.empty() ? "" : "; ") + refusal.message;
  }
  if (!reasons.empty()) refusal.message = std::move(reasons);
  return fail(std::move(refusal));
}

Result<std::vector<Bytes>> EndorsementSources::vcek_chain(Product product, const Asking& asking) const {
  const auto blob = TRY(get(vcek_chain_item(product), asking));
  std::vector<Bytes> out;
  for (const auto& certificate : TRY(crypto::Certificate::chain_from_pem(as_text(blob->body)))) {
    out.push_back(certificate.der());
  }
  return out;
}

Result<Bytes> EndorsementSources::asvk(Product product, const Asking& asking) const {
  const auto blob = TRY(get(vlek_chain_item(product), asking));
  // ASVK and ARK, in this order (57230 section 4.3). The ARK that counts is the pinned one.
  for (const auto& certificate : TRY(crypto::Certificate::chain_from_pem(as_text(blob->body)))) {
    if (certificate.subject_attribute("2.5.4.3").value_or("").starts_with("SEV-VLEK-")) return certificate.der();
  }
  return fail(EvidenceError::collateral_missing,
              "the chain of VLEKs of " + std::string{name_of(product)} + " holds no key that signs VLEKs");
}

Result<std::optional<Bytes>> EndorsementSources::revocation_list(Product product, SigningKey kind,
                                                                 const Asking& asking) const {
  if (!checks_revocation()) return std::nullopt;
  const auto blob = TRY(get(crl_item(product, kind), asking));
  return blob->body;
}

}  // namespace coffer::evidence::snp
