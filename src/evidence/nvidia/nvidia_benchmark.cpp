// An appraisal of a GPU's report with its chain remembered and with a new one, and its parse alone.
#include <benchmark/benchmark.h>

#include "evidence/appraisal_benchmark.h"
#include "evidence/nvidia/nvidia.h"
#include "evidence/nvidia/simulate.h"

namespace coffer::evidence::nvidia {
namespace {

struct Scene {
  TimePoint now = system_clock().now();
  SimulatorRoot root = make_simulator_root(now).value();
  SimulatedDevice device = make_simulated_device(root, {}, now).value();
  Bytes report = sign_report(simulated_report(device, Bytes(nonce_size)), device.key).value();
  codec::json::Value entry = evidence_of(device, report);
  codec::json::Value evidence = evidence_of(std::span{&entry, 1});

  std::unique_ptr<Verifier> new_verifier() const {
    VerifierOptions options;
    options.simulator_roots = {root.certificate};
    options.simulated_tees = {TeeKind::nvidia};
    return make_verifier(TeeKind::nvidia, options).value();
  }
};

const Scene& scene() {
  static const Scene made;
  return made;
}

// The one signature check that libcrypto must do for a report whose chain is known, over as many bytes.
void libcrypto_signature(benchmark::State& state) {
  const auto signature = scene().device.key.sign(crypto::SignatureAlgorithm::es384, scene().report).value();
  const auto verifying = scene().device.key.public_key();
  for (auto _ : state) {
    if (!verifying.verify(crypto::SignatureAlgorithm::es384, scene().report, signature)) std::abort();
  }
}
BENCHMARK(libcrypto_signature);

void parse_nvidia(benchmark::State& state) {
  for (auto _ : state) {
    if (!parse_evidence(scene().evidence)) std::abort();
  }
}
BENCHMARK(parse_nvidia);

void appraisal_with_cached_chain(benchmark::State& state) {
  appraise_with_cached_chain(state, scene());
}
BENCHMARK(appraisal_with_cached_chain);

void appraisal_with_new_chain(benchmark::State& state) {
  appraise_with_new_chain(state, scene());
}
BENCHMARK(appraisal_with_new_chain);

}  // namespace
}  // namespace coffer::evidence::nvidia

BENCHMARK_MAIN();
