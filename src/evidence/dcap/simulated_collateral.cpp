#include <algorithm>

#include "codec/base64.h"
#include "codec/json.h"
#include "crypto/crl.h"
#include "evidence/dcap/detail/simulated.h"
#include "evidence/dcap/simulate.h"
#include "net/url.h"

namespace coffer::evidence::dcap {

namespace json = codec::json;

namespace {

constexpr std::string_view current_date = "2025-05-14T00:00:00Z";
constexpr std::string_view old_date = "2023-08-09T00:00:00Z";
constexpr std::uint32_t evaluation_number = 20;

std::string upper_hex(ByteView bytes) {
  auto out = codec::hex_encode(bytes);
  std::ranges::transform(out, out.begin(), [](char c) { return c >= 'a' && c <= 'f' ? static_cast<char>(c - 32) : c; });
  return out;
}

json::Array components(const std::array<std::uint8_t, 16>& svns) {
  json::Array out;
  for (const auto svn : svns) out.emplace_back(json::Object{{"svn", svn}});
  return out;
}

json::Object level(json::Object tcb, bool current, std::string_view advisory) {
  json::Object out{{"tcb", std::move(tcb)},
                   {"tcbDate", current ? current_date : old_date},
                   {"tcbStatus", current ? "UpToDate" : "OutOfDate"}};
  if (!current) out.append("advisoryIDs", json::Array{advisory});
  return out;
}

json::Object platform_level(Tee tee, bool current) {
  json::Object tcb{{"sgxtcbcomponents", components(current ? detail::current_components : detail::old_components)},
                   {"pcesvn", detail::current_pce_svn}};
  if (tee == Tee::tdx) {
    // The module's version is its identity's matter.
    auto tdx = detail::current_tdx;
    tdx[1] = 0;
    tcb.append("tdxtcbcomponents", components(tdx));
  }
  return level(std::move(tcb), current, "SIMULATED-SA-00001");
}

json::Array svn_levels(unsigned current, unsigned old, std::string_view advisory) {
  return {level({{"isvsvn", current}}, true, ""), level({{"isvsvn", old}}, false, advisory)};
}

json::Object module_identity() {
  const Bytes zeros(48);
  return {{"mrsigner", upper_hex(zeros)},
          {"attributes", upper_hex(ByteView{zeros}.first(8))},
          {"attributesMask", "FFFFFFFFFFFFFFFF"}};
}

json::Object statement(std::string_view id, int version, TimePoint issued, TimePoint next_update) {
  return {{"id", id},
          {"version", version},
          {"issueDate", format_rfc3339(issued)},
          {"nextUpdate", format_rfc3339(next_update)}};
}

std::string tcb_info(Tee tee, TimePoint issued, TimePoint next_update) {
  auto out = statement(tee == Tee::sgx ? "SGX" : "TDX", 3, issued, next_update);
  out.append("fmspc", upper_hex(std::as_bytes(std::span{detail::fmspc})));
  out.append("pceId", "0000");
  out.append("tcbType", 0);
  out.append("tcbEvaluationDataNumber", evaluation_number);
  if (tee == Tee::tdx) {
    out.append("tdxModule", module_identity());
    auto identity = module_identity();
    identity.append("id", "TDX_01");
    identity.append("tcbLevels", svn_levels(5, 2, "SIMULATED-SA-00002"));
    out.append("tdxModuleIdentities", json::Array{std::move(identity)});
  }
  out.append("tcbLevels", json::Array{platform_level(tee, true), platform_level(tee, false)});
  return json::serialize(out);
}

std::string enclave_identity(Tee tee, TimePoint issued, TimePoint next_update) {
  auto out = statement(tee == Tee::sgx ? "QE" : "TD_QE", 2, issued, next_update);
  out.append("tcbEvaluationDataNumber", evaluation_number);
  out.append("miscselect", "00000000");
  out.append("miscselectMask", "FFFFFFFF");
  out.append("attributes", "11000000000000000000000000000000");
  out.append("attributesMask", "FBFFFFFFFFFFFFFF0000000000000000");
  out.append("mrsigner", upper_hex(detail::qe_signer()));
  out.append("isvprodid", detail::qe_product(tee));
  out.append("tcbLevels", svn_levels(8, 4, "SIMULATED-SA-00003"));
  return json::serialize(out);
}

struct Signer {
  crypto::Certificate certificate;
  crypto::PrivateKey key;
};

Result<Signer> make_signer(const SimulatorRoot& root, const std::string& name) {
  auto key = TRY(crypto::PrivateKey::generate(crypto::KeyKind::ec_p256));
  const crypto::CertificateRequest request{.common_name = std::string{simulator_mark} + ": " + name,
                                           .not_before = root.certificate.not_before(),
                                           .not_after = root.certificate.not_after()};
  auto certificate = TRY(crypto::issue(request, key.public_key(), root.issuer()));
  return Signer{std::move(certificate), std::move(key)};
}

// Spliced as text, because what is signed is text.
Result<std::string> signed_document(const Signer& signer, std::string_view member, const std::string& text) {
  const auto signature = TRY(signer.key.sign(crypto::SignatureAlgorithm::es256, as_bytes(text)));
  return "{\"" + std::string{member} + "\":" + text + ",\"signature\":\"" + codec::hex_encode(signature) + "\"}";
}

Result<std::string> list_of(const SimulatorRoot& issuer, const CollateralRequest& request,
                            const std::vector<Bytes>& revoked) {
  const crypto::CrlRequest wanted{
      .this_update = request.issued, .next_update = request.next_update, .serial_numbers = revoked};
  return codec::hex_encode(TRY(crypto::issue_crl(wanted, issuer.issuer())).der());
}

json::Object chains(const SimulatedAuthority& authority, const Signer& signer) {
  const auto root = authority.root.certificate.to_pem();
  const auto of_signer = net::percent_encode(signer.certificate.to_pem() + root);
  const auto of_ca = net::percent_encode(authority.pck_ca.certificate.to_pem() + root);
  return {{"TCB-Info-Issuer-Chain", of_signer},
          {"SGX-Enclave-Identity-Issuer-Chain", of_signer},
          {"SGX-PCK-Certificate-Issuer-Chain", json::Object{{"PROCESSOR", of_ca}, {"PLATFORM", of_ca}}}};
}

}  // namespace

CollateralTexts simulated_texts(TimePoint issued, TimePoint next_update) {
  return {.sgx_tcb_info = tcb_info(Tee::sgx, issued, next_update),
          .tdx_tcb_info = tcb_info(Tee::tdx, issued, next_update),
          .qe_identity = enclave_identity(Tee::sgx, issued, next_update),
          .td_qe_identity = enclave_identity(Tee::tdx, issued, next_update)};
}

CollateralRequest simulated_collateral_request(TimePoint issued, TimePoint next_update) {
  CollateralRequest out{.issued = issued, .next_update = next_update};
  out.revoked_by_ca.push_back(codec::hex_decode(simulated_revoked_serial).value());
  return out;
}

Result<std::string> make_collateral_json(const SimulatedAuthority& authority, const CollateralRequest& request) {
  const auto signer = TRY(make_signer(authority.root, request.signer_name));
  auto revoked_by_root = request.revoked_by_root;
  if (request.revoke_signer) revoked_by_root.push_back(signer.certificate.serial_number());
  const auto pck_list = TRY(list_of(authority.pck_ca, request, request.revoked_by_ca));
  const auto root_list = TRY(list_of(authority.root, request, revoked_by_root));
  const auto& texts = request.texts;
  return R"({"collaterals":{"tcbinfos":[{"fmspc":")" + upper_hex(std::as_bytes(std::span{detail::fmspc})) +
         R"(","sgx_tcbinfo":)" + TRY(signed_document(signer, "tcbInfo", texts.sgx_tcb_info))
  +R"(,"tdx_tcbinfo":)" + TRY(signed_document(signer, "tcbInfo", texts.tdx_tcb_info))
  +R"(}],"qeidentity":)" + TRY(signed_document(signer, "enclaveIdentity", texts.qe_identity))
  +R"(,"tdqeidentity":)" + TRY(signed_document(signer, "enclaveIdentity", texts.td_qe_identity))
  +R"(,"pckcacrl":)" + json::serialize(json::Object{{"processorCrl", pck_list}, {"platformCrl", pck_list}}) +
      R"(,"certificates":)" + json::serialize(chains(authority, signer)) + R"(,"rootcacrl":")" + root_list + "\"}}\n";
}

}  // namespace coffer::evidence::dcap
