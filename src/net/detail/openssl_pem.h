// The little of OpenSSL that TLS needs on both sides: PEM into its handles.
#pragma once

#include <openssl/types.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "net/error.h"

namespace coffer::net::detail {

struct FreeX509 {
  void operator()(X509* certificate) const;
};
struct FreeKey {
  void operator()(EVP_PKEY* key) const;
};
using X509Handle = std::unique_ptr<X509, FreeX509>;
using KeyHandle = std::unique_ptr<EVP_PKEY, FreeKey>;

// All certificates in order; text around them is passed over. NetError::bad_configuration where one does not parse.
Result<std::vector<X509Handle>> read_certificates(std::string_view pem);
// Null where there is none or it is encrypted; nobody is asked for a password.
KeyHandle read_private_key(ByteView pem);
// The newest entry of this thread's error queue, which is then emptied.
std::string last_openssl_error();

}  // namespace coffer::net::detail
