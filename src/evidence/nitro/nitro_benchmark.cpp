// An appraisal of a Nitro document with its chain remembered and with a new one, and its parse alone.
#include <benchmark/benchmark.h>

#include "codec/base64.h"
#include "evidence/appraisal_benchmark.h"
#include "evidence/nitro/nitro.h"
#include "evidence/nitro/simulate.h"

namespace coffer::evidence::nitro {
namespace {

struct Scene {
  TimePoint now = system_clock().now();
  SimulatorRoot root = make_simulator_root(now).value();
  Bytes document = simulate_document(root, {.nonce = Bytes(48)}, now).value();
  codec::json::Value evidence = codec::json::Object{{"document", codec::base64_encode(document)}};

  std::unique_ptr<Verifier> new_verifier() const {
    VerifierOptions options;
    options.simulator_roots = {root.certificate};
    options.simulated_tees = {TeeKind::nitro};
    return make_verifier(TeeKind::nitro, options).value();
  }
};

const Scene& scene() {
  static const Scene made;
  return made;
}

// The one signature check that libcrypto must do for a document whose chain is known, over as many bytes.
void libcrypto_signature(benchmark::State& state) {
  const auto key = crypto::PrivateKey::generate(crypto::KeyKind::ec_p384).value();
  const auto signature = key.sign(crypto::SignatureAlgorithm::es384, scene().document).value();
  const auto verifying = key.public_key();
  for (auto _ : state) {
    if (!verifying.verify(crypto::SignatureAlgorithm::es384, scene().document, signature)) std::abort();
  }
}
BENCHMARK(libcrypto_signature);

void parse_nitro(benchmark::State& state) {
  for (auto _ : state) {
    if (!parse_document(scene().document)) std::abort();
  }
}
BENCHMARK(parse_nitro);

void appraisal_with_cached_chain(benchmark::State& state) {
  appraise_with_cached_chain(state, scene());
}
BENCHMARK(appraisal_with_cached_chain);

void appraisal_with_new_chain(benchmark::State& state) {
  appraise_with_new_chain(state, scene());
}
BENCHMARK(appraisal_with_new_chain);

}  // namespace
}  // namespace coffer::evidence::nitro

BENCHMARK_MAIN();
