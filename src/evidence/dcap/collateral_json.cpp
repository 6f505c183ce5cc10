// Collateral out of one file.
#include <fstream>
#include <iterator>
#include <map>

#include "codec/base64.h"
#include "codec/json.h"
#include "evidence/dcap/collateral.h"
#include "evidence/dcap/detail/json_fields.h"
#include "net/url.h"

namespace coffer::evidence::dcap {

namespace json = codec::json;
using detail::Fields;

namespace {

constexpr std::size_t max_file_size = 16U << 20;

using Blob = std::shared_ptr<const CollateralBlob>;

// By kind and key of the items, a key of "*" for all.
class FileCollateral final : public Collateral {
 public:
  Result<Blob> get(const CollateralItem& item, TimePoint) override {
    for (const auto& key : {item.key, fallback_key(item.key), std::string{"*"}}) {
      if (const auto found = blobs_.find({item.kind, key}); found != blobs_.end()) return found->second;
    }
    return fail(CollateralError::not_found, "the file has no " + item.kind + " " + item.key);
  }

  void add(std::string kind, std::string key, Bytes body, std::string chain) {
    blobs_[{std::move(kind), std::move(key)}] =
        std::make_shared<const CollateralBlob>(CollateralBlob{std::move(body), std::move(chain)});
  }

 private:
  // Files that hold no early edition hold the standard one, as upstream reads them.
  static std::string fallback_key(std::string_view key) {
    constexpr std::string_view early = "early";
    if (!key.ends_with(early)) return std::string{key};
    return std::string{key.substr(0, key.size() - early.size())} + "standard";
  }

  std::map<std::pair<std::string, std::string>, Blob> blobs_;
};

Bytes signed_document(std::string_view member, std::string_view text, std::string_view signature) {
  return to_bytes("{\"" + std::string{member} + "\":" + std::string{text} + ",\"signature\":\"" +
                  std::string{signature} + "\"}");
}

Result<Bytes> read_hex(const Fields& fields, std::string_view key) {
  auto bytes = codec::hex_decode(TRY(fields.text(key)));
  if (bytes) return *std::move(bytes);
  return fields.bad(key, "DER in hex", bytes.error().message);
}

Result<std::shared_ptr<Collateral>> read_quote_collateral(const Fields& fields) {
  auto out = std::make_shared<FileCollateral>();
  out->add(
      "intel-tcb-info", "*",
      signed_document("tcbInfo", TRY(fields.text("tcb_info")), TRY(fields.text("tcb_info_signature"))),
      std::string { TRY(fields.text("tcb_info_issuer_chain")) });
  out->add(
      "intel-qe-identity", "*",
      signed_document("enclaveIdentity", TRY(fields.text("qe_identity")), TRY(fields.text("qe_identity_signature"))),
      std::string { TRY(fields.text("qe_identity_issuer_chain")) });
  out->add(
      "intel-pck-crl", "*", TRY(read_hex(fields, "pck_crl")), std::string { TRY(fields.text("pck_crl_issuer_chain")) });
  out->add("intel-root-crl", "*", TRY(read_hex(fields, "root_ca_crl")), "");
  return out;
}

std::string upper(std::string_view text) {
  std::string out{text};
  std::ranges::transform(out, out.begin(), [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; });
  return out;
}

Result<std::string> read_chain(const Fields& certificates, std::string_view key) {
  auto chain = net::percent_decode(TRY(certificates.text(key)));
  if (chain) return *std::move(chain);
  return certificates.bad(key, "PEM, percent-encoded", chain.error().message);
}

// What Intel signed is compact; the tool may have written it with indents.
Bytes compact(const json::Value& value) {
  return to_bytes(json::serialize(value));
}

struct Variant {
  std::string_view member;
  std::string_view key;
};

void add_variants(FileCollateral& out, const std::string& kind, const json::Value& from,
                  std::span<const Variant> variants, const std::string& chain,
                  const std::function<std::string(std::string_view)>& key_of) {
  for (const auto& [member, key] : variants) {
    const auto* value = from.find(member);
    if (value != nullptr && value->is_object()) out.add(kind, key_of(key), compact(*value), chain);
  }
}

Result<> add_tcb_infos(FileCollateral& out, const Fields& collaterals, const std::string& chain) {
  constexpr std::array<Variant, 4> variants{{{"sgx_tcbinfo", "sgx-*-standard"},
                                             {"sgx_tcbinfo_early", "sgx-*-early"},
                                             {"tdx_tcbinfo", "tdx-*-standard"},
                                             {"tdx_tcbinfo_early", "tdx-*-early"}}};
  const auto* entries = TRY(collaterals.array("tcbinfos"));
  for (std::size_t i = 0; i < entries->size(); ++i) {
    const auto fmspc = upper(TRY(TRY(collaterals.element(*entries, i, "tcbinfos")).text("fmspc")));
    add_variants(out, "intel-tcb-info", (*entries)[i], variants, chain, [&](std::string_view key) {
      const auto star = key.find('*');
      return std::string{key.substr(0, star)} + fmspc + std::string{key.substr(star + 1)};
    });
  }
  return {};
}

Result<> add_pck_crls(FileCollateral& out, const Fields& collaterals, const Fields& certificates) {
  const auto lists = TRY(collaterals.object("pckcacrl"));
  const auto chains = TRY(certificates.object("SGX-PCK-Certificate-Issuer-Chain"));
  out.add("intel-pck-crl", "processor", TRY(read_hex(lists, "processorCrl")), TRY(read_chain(chains, "PROCESSOR")));
  out.add("intel-pck-crl", "platform", TRY(read_hex(lists, "platformCrl")), TRY(read_chain(chains, "PLATFORM")));
  return {};
}

Result<std::shared_ptr<Collateral>> read_client_tool(const Fields& file, const json::Value& collaterals_value) {
  constexpr std::array<Variant, 4> identities{{{"qeidentity", "sgx-standard"},
                                               {"qeidentity_early", "sgx-early"},
                                               {"tdqeidentity", "tdx-standard"},
                                               {"tdqeidentity_early", "tdx-early"}}};
  const auto collaterals = TRY(file.object("collaterals"));
  const auto certificates = TRY(collaterals.object("certificates"));
  auto out = std::make_shared<FileCollateral>();
  TRY(add_tcb_infos(*out, collaterals, TRY(read_chain(certificates, "TCB-Info-Issuer-Chain"))));
  add_variants(*out, "intel-qe-identity", collaterals_value, identities,
               TRY(read_chain(certificates, "SGX-Enclave-Identity-Issuer-Chain")),
               [](std::string_view key) { return std::string{key}; });
  TRY(add_pck_crls(*out, collaterals, certificates));
  out->add("intel-root-crl", "*", TRY(read_hex(collaterals, "rootcacrl")), "");
  return out;
}

}  // namespace

Result<std::shared_ptr<Collateral>> collateral_from_json(std::string_view text) {
  if (text.size() > max_file_size) return fail(DcapError::bad_config, "a collateral file has at most 16 MiB");
  const auto value = json::parse(text, {.max_size = max_file_size});
  if (!value) return fail(DcapError::bad_config, "collateral file: " + value.error().message);
  const auto* object = value->if_object();
  if (object == nullptr) return fail(DcapError::bad_config, "a collateral file is expected to be an object");
  const Fields file{*object, DcapError::bad_config, "collateral file"};
  if (const auto* collaterals = object->find("collaterals")) return read_client_tool(file, *collaterals);
  return read_quote_collateral(file);
}

Result<std::shared_ptr<Collateral>> collateral_from_file(const std::filesystem::path& path) {
  std::error_code failed;
  if (!std::filesystem::is_regular_file(path, failed) || std::filesystem::file_size(path, failed) > max_file_size) {
    return fail(DcapError::bad_config, path.string() + " is expected to be a file of at most 16 MiB");
  }
  std::ifstream file{path, std::ios::binary};
  const std::string text{std::istreambuf_iterator<char>{file}, {}};
  if (!file) return fail(DcapError::bad_config, "cannot read " + path.string());
  auto out = collateral_from_json(text);
  if (!out) return fail(DcapError::bad_config, path.string() + ": " + out.error().message);
  return out;
}

}  // namespace coffer::evidence::dcap
