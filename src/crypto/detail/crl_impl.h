// What a CRL object holds. For the .cpp files of crypto alone.
#pragma once

#include "crypto/crl.h"
#include "crypto/detail/x509_impl.h"

namespace coffer::crypto {

struct Crl::Impl {
  detail::X509CrlPtr crl;
  Bytes der;
  TimePoint this_update;
  TimePoint next_update;
};

namespace detail {

// OpenSSL asks for strong digests under certificates only. untrusted where the list is signed over anything but SHA-2
// of 256 bits and more (Ed25519 included), or by PSS whose parameters name another hash.
Result<> check_crl_digest(const X509_CRL* crl);

}  // namespace detail
}  // namespace coffer::crypto
