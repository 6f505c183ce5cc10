#include "appraisal/ear.h"
#include "appraisal/token_verifier.h"
#include "base/log.h"
#include "codec/base64.h"
#include "codec/json.h"

namespace {

// Header keys are trusted, so that the fuzzer gets past the choice of a key.
const coffer::appraisal::TokenVerifier& verifier() {
  static const auto made = [] {
    coffer::log::init("fuzz", coffer::log::Level::off);
    return *coffer::appraisal::TokenVerifier::create({.insecure_header_jwk = true, .cache_size = 8});
  }();
  return *made;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace coffer;
  const auto text = as_text({reinterpret_cast<const std::byte*>(data), size});
  const auto token = verifier().verify(text, from_unix_seconds(1'800'000'000));
  if (token) (void)(*token)->tee_public_key();
  // The text as header and claims at once, past the base64url that a fuzzer rarely hits.
  const auto part = codec::base64url_encode(as_bytes(text));
  (void)verifier().verify(part + "." + part + ".AAAA", from_unix_seconds(1'800'000'000));
  if (const auto claims = codec::json::parse(text); claims && claims->is_object()) {
    (void)appraisal::read_submodules(*claims->if_object());
  }
  return 0;
}
