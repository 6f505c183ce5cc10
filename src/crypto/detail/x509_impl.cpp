#include "crypto/detail/x509_impl.h"

#include <algorithm>
#include <array>
#include <ctime>
#include <set>

#include "crypto/detail/key_impl.h"

namespace coffer::crypto::detail {

std::string name_text(const X509_NAME* name) {
  const BioPtr bio{BIO_new(BIO_s_mem())};
  if (!bio || X509_NAME_print_ex(bio.get(), name, 0, XN_FLAG_RFC2253) < 0) {
    ERR_clear_error();
    return "(unprintable name)";
  }
  return take_text(bio.get());
}

Bytes name_der(const X509_NAME* name) {
  const unsigned char* encoded = nullptr;
  std::size_t size = 0;
  if (X509_NAME_get0_der(name, &encoded, &size) != 1) openssl_broken("a DER encoder");
  const auto* first = reinterpret_cast<const std::byte*>(encoded);
  return {first, first + size};
}

ObjectPtr object_of(std::string_view dotted_oid) {
  return ObjectPtr{OBJ_txt2obj(std::string{dotted_oid}.c_str(), 1)};
}

std::string dotted(const ASN1_OBJECT* object) {
  std::array<char, 256> buffer{};
  const int size = OBJ_obj2txt(buffer.data(), buffer.size(), object, 1);
  if (size < 0 || static_cast<std::size_t>(size) < buffer.size()) return buffer.data();
  std::string text(static_cast<std::size_t>(size) + 1, '\0');
  OBJ_obj2txt(text.data(), static_cast<int>(text.size()), object, 1);
  text.pop_back();
  return text;
}

Bytes magnitude(const ASN1_INTEGER* number) {
  const auto* data = reinterpret_cast<const std::byte*>(ASN1_STRING_get0_data(number));
  const auto* end = data + ASN1_STRING_length(number);
  const auto* first = std::find_if(data, end, [](std::byte b) { return b != std::byte{0}; });
  return first == end ? Bytes(1) : Bytes(first, end);
}

Result<TimePoint> to_time(const ASN1_TIME* time, std::string_view what) {
  std::tm parts{};
  if (time == nullptr || ASN1_TIME_to_tm(time, &parts) != 1) {
    return openssl_fail(CryptoError::bad_certificate, "a malformed " + std::string{what});
  }
  return from_unix_seconds(::timegm(&parts));
}

// RFC 5280 section 4.2: no more than one instance of a particular extension. Who reads the first and who reads the last
// of two would not agree on what was signed.
Result<> check_unique(const STACK_OF(X509_EXTENSION) * extensions) {
  std::set<std::string> seen;
  for (int i = 0; i < sk_X509_EXTENSION_num(extensions); ++i) {
    auto oid = dotted(X509_EXTENSION_get_object(sk_X509_EXTENSION_value(extensions, i)));
    if (!seen.insert(oid).second) {
      return fail(CryptoError::bad_certificate, "the extension " + oid + " is there twice");
    }
  }
  return {};
}

Bytes take_encoding(unsigned char* encoded, int size) {
  if (size <= 0) return {};
  const auto* first = reinterpret_cast<const std::byte*>(encoded);
  Bytes out(first, first + size);
  OPENSSL_free(encoded);
  return out;
}

}  // namespace coffer::crypto::detail
