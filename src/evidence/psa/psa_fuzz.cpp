#include "evidence/psa/token.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace coffer;
  using namespace coffer::evidence;
  const ByteView bytes{reinterpret_cast<const std::byte*>(data), size};
  (void)psa::parse_token(bytes);
  if (const auto claims = psa::parse_claims(bytes)) {
    (void)psa::json_claims(*claims);
    const auto again = psa::parse_claims(psa::encode_claims(*claims));
    if (!again || again->nonce != claims->nonce || again->client_id != claims->client_id) __builtin_trap();
  }
  return 0;
}
