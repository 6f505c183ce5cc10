#include <algorithm>
#include <cstdlib>

#include "evidence/tpm/quote.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace coffer;
  using namespace coffer::evidence::tpm;
  const ByteView bytes{reinterpret_cast<const std::byte*>(data), size};
  if (const auto quote = parse_quote(bytes)) {
    (void)describe(*quote);
    const std::vector<Bytes> values(pcr_count, Bytes(32));
    (void)check_pcrs(*quote, values, crypto::HashAlgorithm::sha256);
    // Selections wider than a platform's PCRs are read, but never written.
    const auto fits = [](const PcrSelection& each) { return each.pcrs.back() < pcr_count; };
    const bool writable = std::ranges::all_of(quote->selections, fits);
    if (writable && parse_quote(encode_quote(*quote)) != *quote) std::abort();
  }
  if (const auto signature = parse_signature(bytes)) {
    const auto again = encode_signature(*signature);
    if (!equal(again, bytes)) std::abort();
  }
  return 0;
}
