#include "evidence/nitro/chain.h"
#include "evidence/nitro/claims.h"
#include "evidence/nitro/nsm_message.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace coffer;
  using namespace coffer::evidence;
  const ByteView bytes{reinterpret_cast<const std::byte*>(data), size};
  if (const auto payload = nitro::parse_payload(bytes)) {
    // What parsed is encoded and parsed to the same again.
    const auto again = nitro::parse_payload(nitro::encode_payload(*payload));
    if (!again || again->pcrs != payload->pcrs || again->nonce != payload->nonce) __builtin_trap();
    (void)nitro::verify_chain(*payload, {}, from_unix_seconds(1'700'000'000));
  }
  if (const auto document = nitro::parse_document(bytes)) (void)nitro::describe(*document);
  (void)nitro::parse_attestation_response(bytes);
  (void)nitro::parse_describe_pcr_response(bytes);
  (void)nitro::parse_extend_pcr_response(bytes);
  (void)nitro::parse_lock_pcr_response(bytes);
  return 0;
}
