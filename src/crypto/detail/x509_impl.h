// What a certificate object holds. For the .cpp files of crypto alone.
#pragma once

#include "crypto/detail/openssl.h"
#include "crypto/x509.h"

namespace coffer::crypto {

// Everything that OpenSSL computes late is computed when the object is made, so that threads may share it.
struct Certificate::Impl {
  detail::X509Ptr x509;
  Bytes der;
  TimePoint not_before;
  TimePoint not_after;
};

namespace detail {

// RFC 2253 text.
std::string name_text(const X509_NAME* name);
Result<Certificate> adopt_certificate(X509Ptr x509);

}  // namespace detail
}  // namespace coffer::crypto
