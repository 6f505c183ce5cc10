// What a worker or an aggregator signed: the text as it arrives, and any payload under a right signature.
#include <cstdint>
#include <cstdlib>

#include "codec/jose/jws.h"
#include "fleet/aggregator_statements.h"
#include "fleet/attested_key.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace coffer;
  static const auto key = *crypto::PrivateKey::generate(crypto::KeyKind::ec_p256);
  static const auto public_key = key.public_key();
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  const auto now = from_unix_seconds(1'800'000'000);
  if (fleet::read_result_statement(text, public_key)) std::abort();  // nobody forges a signature by chance
  (void)fleet::check_presence(text, "worker", public_key, now, std::chrono::seconds{60});
  if (fleet::read_round_statement(text, public_key)) std::abort();
  (void)fleet::check_aggregator(text, "nonce", public_key, fleet::ModelName{});
  for (const std::string_view type :
       {"coffer-result+jwt", "coffer-presence+jwt", "coffer-round+jwt", "coffer-aggregator+jwt"}) {
    const auto jws = codec::jose::sign_compact({{"typ", type}}, as_bytes(text), key, crypto::SignatureAlgorithm::es256);
    if (!jws) std::abort();
    (void)fleet::check_presence(*jws, "worker", public_key, now, std::chrono::seconds{60});
    (void)fleet::check_aggregator(*jws, "nonce", public_key, fleet::ModelName{});
    if (const auto round = fleet::read_round_statement(*jws, public_key)) {
      const auto again = fleet::sign_round(*round, key);
      if (!again || *fleet::read_round_statement(*again, public_key) != *round) std::abort();
    }
    const auto read = fleet::read_result_statement(*jws, public_key);
    if (!read) continue;
    const auto again = fleet::sign_result(*read, key);
    if (!again || *fleet::read_result_statement(*again, public_key) != *read) std::abort();
  }
  return 0;
}
