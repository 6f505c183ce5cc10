// What a certificate object holds, and OpenSSL's small types as ours. For the .cpp files of crypto alone.
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

using ObjectPtr = Handle<ASN1_OBJECT, ASN1_OBJECT_free>;

// RFC 2253 text.
std::string name_text(const X509_NAME* name);
Bytes name_der(const X509_NAME* name);
Result<Certificate> adopt_certificate(X509Ptr x509);

// Null where the text is no dotted OID.
ObjectPtr object_of(std::string_view dotted_oid);
std::string dotted(const ASN1_OBJECT* object);
// Big-endian without leading zeros, one zero byte for 0; the sign is dropped.
Bytes magnitude(const ASN1_INTEGER* number);
// `what` names the field. bad_certificate.
Result<TimePoint> to_time(const ASN1_TIME* time, std::string_view what);
// bad_certificate where an OID occurs twice.
Result<> check_unique(const STACK_OF(X509_EXTENSION) * extensions);
// A copy of what an i2d_ function has made, and the end of the original.
Bytes take_encoding(unsigned char* encoded, int size);

}  // namespace detail
}  // namespace coffer::crypto
