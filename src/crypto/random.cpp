#include "crypto/random.h"

#include <openssl/rand.h>

#include <algorithm>
#include <climits>

#include "crypto/detail/openssl.h"

namespace coffer::crypto {

Bytes RandomSource::bytes(std::size_t size) {
  Bytes out(size);
  fill(out);
  return out;
}

SecretBytes RandomSource::secret(std::size_t size) {
  SecretBytes out(size);
  fill(out.mutable_expose());
  return out;
}

namespace {

class SystemRandom final : public RandomSource {
 public:
  void fill(MutableByteView out) override {
    while (!out.empty()) {
      const auto part = out.first(std::min<std::size_t>(out.size(), INT_MAX));
      if (RAND_priv_bytes(detail::data_of(part), static_cast<int>(part.size())) != 1) {
        detail::openssl_broken("random bytes");
      }
      out = out.subspan(part.size());
    }
  }
};

}  // namespace

RandomSource& system_random() {
  static SystemRandom source;
  return source;
}

}  // namespace coffer::crypto
