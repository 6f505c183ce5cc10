// Updates of federated rounds: plain, sealed, and what a seal holds; and what an aggregator says of itself.
#include <cstdint>
#include <cstdlib>

#include "fleet/aggregator_statements.h"
#include "fleet/round_update.h"
#include "fleet/sealed_update.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace coffer;
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  if (const auto update = fleet::parse_round_update(text)) {
    const auto again = fleet::read_round_update(fleet::write_round_update(*update));
    if (!again || *again != *update) std::abort();
  }
  if (const auto object = fleet::parse_update_object(text)) {
    static const auto key = *crypto::PrivateKey::generate(crypto::KeyKind::ec_p256);
    if (const auto sealed = fleet::read_sealed_update(*object)) {
      if (*fleet::read_sealed_update(fleet::write_sealed_update(*sealed)) != *sealed) std::abort();
      if (fleet::open_update(*sealed, key)) std::abort();  // nobody seals to a key by chance
    }
  }
  (void)fleet::parse_signed_update(text);
  (void)fleet::parse_aggregator_attestation(text);
  return 0;
}
