#include "evidence/arm/simulated_signer.h"

namespace coffer::evidence::arm {

namespace cbor = codec::cbor;

namespace {
using namespace std::chrono_literals;
constexpr int label_x5chain = 33;
}  // namespace

Result<SimulatedSigner> make_simulated_signer(const SimulatorRoot& root, crypto::KeyKind kind, bool expired,
                                              TimePoint now) {
  auto key = TRY(crypto::PrivateKey::generate(kind));
  const auto begin = expired ? now - 25h : now - 1h;
  const auto certificate = TRY(crypto::issue(
      {.common_name = "simulated platform attestation key", .not_before = begin, .not_after = begin + 24h},
      key.public_key(), root.issuer()));
  cbor::Map header{{label_x5chain, cbor::Array{certificate.der(), root.certificate.der()}}};
  return SimulatedSigner{std::move(key), std::move(header)};
}

}  // namespace coffer::evidence::arm
