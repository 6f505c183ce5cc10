#include "net/detail/openssl_pem.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <array>
#include <limits>

namespace coffer::net::detail {
namespace {

struct FreeBio {
  void operator()(BIO* bio) const { BIO_free(bio); }
};
using BioHandle = std::unique_ptr<BIO, FreeBio>;

BioHandle reader_over(ByteView data) {
  if (data.size() > static_cast<std::size_t>(std::numeric_limits<int>::max())) return nullptr;
  return BioHandle{BIO_new_mem_buf(data.data(), static_cast<int>(data.size()))};
}

int no_password(char*, int, int, void*) {
  return -1;
}

}  // namespace

void FreeX509::operator()(X509* certificate) const {
  X509_free(certificate);
}
void FreeKey::operator()(EVP_PKEY* key) const {
  EVP_PKEY_free(key);
}

Result<std::vector<X509Handle>> read_certificates(std::string_view pem) {
  std::vector<X509Handle> out;
  const auto bio = reader_over(as_bytes(pem));
  ERR_clear_error();
  while (auto* certificate = PEM_read_bio_X509(bio.get(), nullptr, no_password, nullptr)) out.emplace_back(certificate);
  const auto reason = ERR_peek_last_error();
  if (ERR_GET_LIB(reason) == ERR_LIB_PEM && ERR_GET_REASON(reason) == PEM_R_NO_START_LINE) {
    ERR_clear_error();
    return out;
  }
  return fail(NetError::bad_configuration, "certificate " + std::to_string(out.size() + 1) +
                                               " of the PEM text does not parse (" + last_openssl_error() + ")");
}

KeyHandle read_private_key(ByteView pem) {
  const auto bio = reader_over(pem);
  ERR_clear_error();
  return KeyHandle{PEM_read_bio_PrivateKey(bio.get(), nullptr, no_password, nullptr)};
}

std::string last_openssl_error() {
  const auto code = ERR_peek_last_error();
  if (code == 0) return "no further reason";
  std::array<char, 256> text{};
  ERR_error_string_n(code, text.data(), text.size());
  ERR_clear_error();
  return text.data();
}

}  // namespace coffer::net::detail
