#include "net/detail/peer_certificate.h"

#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "base/log.h"
#include "codec/base64.h"
#include "crypto/x509.h"
#include "net/detail/openssl_pem.h"

namespace coffer::net::detail {
namespace {

struct FreeNames {
  void operator()(GENERAL_NAMES* names) const { GENERAL_NAMES_free(names); }
};

// A name with a NUL inside would be read as another one by half of the world.
void add_name(const ASN1_IA5STRING* text, std::vector<std::string>& names) {
  const std::string name{reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
                         static_cast<std::size_t>(ASN1_STRING_length(text))};
  if (!name.empty() && name.find('\0') == std::string::npos) names.push_back(name);
}

std::vector<std::string> alternative_names(const X509* certificate) {
  std::vector<std::string> names;
  const std::unique_ptr<GENERAL_NAMES, FreeNames> all{
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr))};
  for (int i = 0; all != nullptr && i < sk_GENERAL_NAME_num(all.get()); ++i) {
    const auto* name = sk_GENERAL_NAME_value(all.get(), i);
    if (name->type == GEN_DNS || name->type == GEN_URI || name->type == GEN_EMAIL) add_name(name->d.ia5, names);
  }
  return names;
}

Bytes der_of(X509* certificate) {
  Bytes der(static_cast<std::size_t>(std::max(i2d_X509(certificate, nullptr), 0)));
  auto* cursor = reinterpret_cast<unsigned char*>(der.data());
  if (!der.empty()) i2d_X509(certificate, &cursor);
  return der;
}

}  // namespace

std::shared_ptr<const PeerCertificate> verified_peer(const SSL* connection) {
  const X509Handle certificate{SSL_get1_peer_certificate(connection)};
  if (certificate == nullptr || SSL_get_verify_result(connection) != X509_V_OK) return nullptr;
  const auto read = crypto::Certificate::from_der(der_of(certificate.get()));
  if (!read) return nullptr;
  return std::make_shared<const PeerCertificate>(
      PeerCertificate{.subject = read->subject(),
                      .common_name = read->subject_attribute("2.5.4.3").value_or(""),
                      .names = alternative_names(certificate.get()),
                      .sha256 = codec::hex_encode(read->sha256_fingerprint()),
                      .not_after = read->not_after()});
}

void log_refused_certificate(const SSL* connection, const std::string& peer) {
  if ((SSL_get_verify_mode(connection) & SSL_VERIFY_PEER) == 0) return;
  const auto result = SSL_get_verify_result(connection);
  if (result == X509_V_OK) return;
  log::info("net.client_certificate_refused", X509_verify_cert_error_string(result), {{"peer", peer}});
}

}  // namespace coffer::net::detail
