#include <cstdlib>

#include "crypto/x509.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace coffer;
  using namespace coffer::crypto;
  const ByteView input{reinterpret_cast<const std::byte*>(data), size};
  static_cast<void>(Certificate::chain_from_pem(as_text(input)));
  static_cast<void>(Certificate::chain_from_der(input));
  const auto certificate = Certificate::from_der(input);
  if (!certificate) return 0;
  if (!equal(certificate->der(), input)) std::abort();
  static_cast<void>(certificate->subject() + certificate->issuer() + certificate->to_pem());
  static_cast<void>(certificate->is_ca());
  static_cast<void>(certificate->public_key());
  static_cast<void>(certificate->extension("2.5.29.19"));
  static_cast<void>(certificate->extensions());
  static_cast<void>(certificate->extended_key_usages());
  static_cast<void>(certificate->allows(KeyUsage::crl_sign));
  static_cast<void>(certificate->subject_attribute("2.5.4.3"));
  static_cast<void>(certificate->serial_number());
  static_cast<void>(certificate->crl_uris());
  static_cast<void>(certificate->authority_key_id());
  const auto anchor = *certificate;
  static_cast<void>(verify_chain(*certificate, {&anchor, 1}, {.at = certificate->not_before()}));
  return 0;
}
