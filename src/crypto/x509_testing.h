// A small public key infrastructure for tests: start from a valid chain, break one thing.
#pragma once

#include <functional>

#include "crypto/detail/x509_impl.h"
#include "crypto/x509.h"

namespace coffer::crypto::testing_pki {

using namespace std::chrono_literals;

inline const TimePoint start = from_unix_seconds(1'767'225'600);  // 2026-01-01
inline const TimePoint now = start + 24h * 30;

struct Party {
  PrivateKey key;
  Certificate certificate;
  Issuer issuer() const { return {certificate, key}; }
};

inline CertificateRequest request(std::string name, bool is_ca) {
  return {.common_name = std::move(name), .not_before = start, .not_after = start + 24h * 365, .is_ca = is_ca};
}

Party make_root(const std::string& name = "root", KeyKind kind = KeyKind::ec_p256);
Party make_child(const Party& issuer, const CertificateRequest& wanted, KeyKind kind = KeyKind::ec_p256);

// root -> intermediate -> leaf.
struct Chain {
  Party root = make_root();
  Party intermediate = make_child(root, request("intermediate", true));
  Party leaf = make_child(intermediate, request("leaf", false));

  ChainOptions options() const { return {.at = now, .intermediates = {intermediate.certificate}}; }
  Result<std::vector<Certificate>> verify(const ChainOptions& wanted) const {
    return verify_chain(leaf.certificate, {&root.certificate, 1}, wanted);
  }
};

// `original` after `change`, signed again by `signer` with `digest`.
Certificate remade(const Certificate& original, const Party& signer, const std::function<void(X509*)>& change,
                   const EVP_MD* digest = EVP_sha256());

// A CRL in DER that lists `revoked`, valid from `from` for thirty days.
Bytes make_crl(const Party& issuer, std::span<const Certificate> revoked, TimePoint from);

// `der` after `change`, signed again by `issuer` with `digest`.
Bytes altered_crl(const Party& issuer, ByteView der, const std::function<void(X509_CRL*)>& change,
                  const EVP_MD* digest = EVP_sha256());

}  // namespace coffer::crypto::testing_pki
