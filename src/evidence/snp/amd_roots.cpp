#include "evidence/snp/amd_roots.h"

#include <cstdlib>
#include <map>

#include "base/log.h"
#include "codec/base64.h"

namespace coffer::evidence::snp {

namespace {

[[noreturn]] void broken(const std::string& why) {
  log::error("snp.bad_build", "AMD's certificates in this build are not the pinned ones: " + why);
  std::abort();
}

struct Pin {
  std::string_view ark;
  std::string_view ask;
};

Pin pin_of(Product product) {
  switch (product) {
    case Product::milan:
      return {"69d063b45344d26a2e94e1f4210de49ef555308287d4c174445c95639a540bcd",
              "67d303bd3905fd38db8b20e0793699870e7fa612eaad5dec358293fd8c0bac1b"};
    case Product::genoa:
      return {"4c6598d19c18719c5dfd4a7d335f674e5bfe1d8f800cea2cf270c10d103db2f1",
              "5464738c1546aed5f2cecf1dc98c5c960a92e8913238a61711bc90ec6e828521"};
    case Product::turin:
      return {"1f084161a44bb6d93778a904877d4819cafa5d05ef4193b2ded9dd9c73dd3f6a",
              "5b77ef5fe7a7a004fd9032668fba9d0fda22f88c4442069a479636a6ae3b3185"};
  }
  return {};
}

crypto::Certificate pinned(const std::vector<crypto::Certificate>& all, std::string_view fingerprint) {
  for (const auto& certificate : all) {
    if (codec::hex_encode(certificate.sha256_fingerprint()) == fingerprint) return certificate;
  }
  broken("none has the fingerprint " + std::string{fingerprint});
}

std::map<Product, AmdCertificates> load() {
  const auto all = crypto::Certificate::chain_from_pem(amd_certificates_pem);
  if (!all) broken(to_string(all.error()));
  std::map<Product, AmdCertificates> out;
  for (const auto product : all_products()) {
    const auto pin = pin_of(product);
    out.emplace(product, AmdCertificates{pinned(*all, pin.ark), pinned(*all, pin.ask)});
  }
  return out;
}

}  // namespace

const AmdCertificates& amd_certificates(Product product) {
  static const auto certificates = load();
  return certificates.at(product);
}

std::string_view ark_fingerprint(Product product) {
  return pin_of(product).ark;
}

}  // namespace coffer::evidence::snp
