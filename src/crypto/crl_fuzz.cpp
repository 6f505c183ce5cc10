#include <cstdlib>

#include "crypto/crl.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace coffer;
  using namespace coffer::crypto;
  const ByteView input{reinterpret_cast<const std::byte*>(data), size};
  static_cast<void>(Crl::parse(input));
  const auto crl = Crl::from_der(input);
  if (!crl) return 0;
  if (!equal(crl->der(), input)) std::abort();
  static_cast<void>(crl->issuer());
  static_cast<void>(crl->issuer_der());
  static_cast<void>(crl->number());
  static_cast<void>(crl->authority_key_id());
  static_cast<void>(crl->lists(input.first(1)));
  return 0;
}
