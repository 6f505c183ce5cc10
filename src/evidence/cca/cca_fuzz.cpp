#include "evidence/cca/claims.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace coffer;
  using namespace coffer::evidence;
  const ByteView bytes{reinterpret_cast<const std::byte*>(data), size};
  if (const auto token = cca::parse_token(bytes)) (void)cca::claims_of(*token);
  if (const auto platform = cca::parse_platform(bytes)) {
    const auto again = cca::parse_platform(cca::encode_platform(*platform));
    if (!again || again->instance_id != platform->instance_id) __builtin_trap();
  }
  if (const auto realm = cca::parse_realm(bytes)) {
    const auto again = cca::parse_realm(cca::encode_realm(*realm));
    if (!again || again->challenge != realm->challenge) __builtin_trap();
    (void)cca::realm_key(*realm);
    (void)cca::realm_key_hash(*realm);
  }
  return 0;
}
