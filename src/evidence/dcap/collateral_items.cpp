// Paths of PCS version 4 (https://api.portal.trustedservices.intel.com), which PCCS serves as well.
#include <algorithm>

#include "codec/base64.h"
#include "evidence/dcap/collateral.h"
#include "evidence/dcap/tcb_info.h"
#include "evidence/dcap/trust.h"
#include "net/url.h"

namespace coffer::evidence::dcap {

namespace {

constexpr std::string_view pcs = "intel-pcs";
constexpr std::string_view certificates_host = "intel-certificates";

std::string_view folder(Tee tee) {
  return tee == Tee::sgx ? "/sgx/certification/v4/" : "/tdx/certification/v4/";
}

std::string lower(std::string_view text) {
  std::string out{text};
  std::ranges::transform(out, out.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return out;
}

std::string_view name_of(TcbUpdate update) {
  return update == TcbUpdate::early ? "early" : "standard";
}

// Intel's examples write it in upper case.
std::string fmspc_text(const CollateralQuestion& question) {
  auto out = codec::hex_encode(std::as_bytes(std::span{question.fmspc}));
  std::ranges::transform(out, out.begin(), [](char c) { return c >= 'a' && c <= 'f' ? static_cast<char>(c - 32) : c; });
  return out;
}

template <class T>
Result<T> as_item(Result<T> result) {
  if (result) return result;
  return fail(CollateralError::malformed, std::move(result.error().message));
}

Result<> require_chain(const CollateralBlob& blob, std::string_view header) {
  if (!blob.issuer_chain.empty()) return {};
  return fail(CollateralError::malformed, "the answer lacks the header " + std::string{header});
}

Result<CollateralValidity> inspect_tcb_info(const CollateralBlob& blob) {
  TRY(require_chain(blob, "TCB-Info-Issuer-Chain"));
  const auto text = TRY(as_item(find_signed_text(as_text(blob.body), "tcbInfo", DcapError::bad_tcb_info)));
  const auto info = TRY(as_item(parse_tcb_info(text.text)));
  return CollateralValidity{info.issued, info.next_update};
}

Result<CollateralValidity> inspect_qe_identity(const CollateralBlob& blob) {
  TRY(require_chain(blob, "SGX-Enclave-Identity-Issuer-Chain"));
  const auto text = TRY(as_item(find_signed_text(as_text(blob.body), "enclaveIdentity", DcapError::bad_qe_identity)));
  const auto identity = TRY(as_item(parse_enclave_identity(text.text)));
  return CollateralValidity{identity.issued, identity.next_update};
}

Result<CollateralValidity> inspect_crl(const CollateralBlob& blob) {
  const auto crl = TRY(as_item(parse_crl(blob.body)));
  return CollateralValidity{crl.this_update(), crl.next_update()};
}

}  // namespace

CollateralItem tcb_info_item(const CollateralQuestion& question) {
  const auto update = std::string{name_of(question.update)};
  const auto fmspc = fmspc_text(question);
  return {.kind = "intel-tcb-info",
          .key = lower(dcap::name_of(question.tee)) + "-" + fmspc + "-" + update,
          .service = std::string{pcs},
          .path = std::string{folder(question.tee)} + "tcb?fmspc=" + fmspc + "&update=" + update,
          .chain_header = "TCB-Info-Issuer-Chain",
          .inspect = inspect_tcb_info};
}

CollateralItem qe_identity_item(const CollateralQuestion& question) {
  const auto update = std::string{name_of(question.update)};
  return {.kind = "intel-qe-identity",
          .key = lower(dcap::name_of(question.tee)) + "-" + update,
          .service = std::string{pcs},
          .path = std::string{folder(question.tee)} + "qe/identity?update=" + update,
          .chain_header = "SGX-Enclave-Identity-Issuer-Chain",
          .inspect = inspect_qe_identity};
}

CollateralItem pck_crl_item(const CollateralQuestion& question) {
  const auto ca = std::string{name_of(question.ca)};
  return {.kind = "intel-pck-crl",
          .key = ca,
          .service = std::string{pcs},
          .path = "/sgx/certification/v4/pckcrl?ca=" + ca + "&encoding=der",
          .chain_header = "SGX-PCK-CRL-Issuer-Chain",
          .inspect = inspect_crl};
}

CollateralItem root_crl_item(const CollateralQuestion& question) {
  return {.kind = "intel-root-crl",
          .key = question.caching_service ? "pccs" : "root",
          .service = std::string{question.caching_service ? pcs : certificates_host},
          .path = question.caching_service ? "/sgx/certification/v4/rootcacrl" : "/IntelSGXRootCA.der",
          .chain_header = "",
          .inspect = inspect_crl};
}

std::optional<std::string> configured_service(const codec::json::Object& verifier_config) {
  const auto* section = verifier_config.find("dcap_verifier");
  const auto* service = section != nullptr ? section->find("collateral_service") : nullptr;
  if (service == nullptr || !service->is_string()) return std::nullopt;
  const auto url = net::Url::parse(*service->if_string());
  return url ? std::optional{url->origin()} : std::nullopt;
}

}  // namespace coffer::evidence::dcap
