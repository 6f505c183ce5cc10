// An appraisal of SNP evidence with its chain remembered, against the one signature check that libcrypto must do for
// it.
#include <benchmark/benchmark.h>

#include "evidence/snp/endorsement.h"
#include "evidence/snp/simulate.h"
#include "evidence/snp/snp.h"

namespace coffer::evidence::snp {
namespace {

using namespace std::chrono_literals;

struct Scene {
  TimePoint now = system_clock().now();
  SimulatorRoot root = make_simulator_root(now).value();
  SimulatedPlatform platform =
      SimulatedPlatform::create(root, {.not_before = now - 1h, .not_after = now + 1h, .rsa_bits = 2048}).value();
  Evidence evidence = simulate(platform, {}, {}, {}).value();
  codec::json::Value value = evidence.to_json();
  std::string text = codec::json::serialize(value);
  std::unique_ptr<Verifier> verifier = [this] {
    VerifierOptions options;
    options.simulator_roots = {root.certificate};
    options.simulated_tees = {TeeKind::snp};
    return make_verifier(TeeKind::snp, options).value();
  }();
};

const Scene& scene() {
  static const Scene made;
  return made;
}

void libcrypto_signature(benchmark::State& state) {
  const auto& report = scene().evidence.report;
  const auto raw = report.encode();
  const auto key = scene().platform.endorsement_key.public_key();
  const auto signature =
      crypto::ecdsa_from_little_endian(crypto::KeyKind::ec_p384, report.signature.r, report.signature.s).value();
  for (auto _ : state) {
    if (!key.verify(crypto::SignatureAlgorithm::es384, ByteView{raw}.first(signed_size), signature)) std::abort();
  }
}
BENCHMARK(libcrypto_signature);

void appraisal_with_cached_chain(benchmark::State& state) {
  for (auto _ : state) {
    if (!scene().verifier->verify(scene().value, {}, scene().now)) std::abort();
  }
}
BENCHMARK(appraisal_with_cached_chain);
// Real time a thread: as long as the one above where two cores are free and no lock is shared.
void appraisal_on_two_threads(benchmark::State& state) {
  appraisal_with_cached_chain(state);
}
BENCHMARK(appraisal_on_two_threads)->Threads(2)->UseRealTime();

void appraisal_with_new_chain(benchmark::State& state) {
  VerifierOptions options;
  options.simulator_roots = {scene().root.certificate};
  options.simulated_tees = {TeeKind::snp};
  for (auto _ : state) {
    const auto fresh = make_verifier(TeeKind::snp, options).value();
    if (!fresh->verify(scene().value, {}, scene().now)) std::abort();
  }
}
BENCHMARK(appraisal_with_new_chain);

void parse_raw_report(benchmark::State& state) {
  const auto raw = scene().evidence.report.encode();
  for (auto _ : state) benchmark::DoNotOptimize(Report::parse(raw));
}
BENCHMARK(parse_raw_report);

void parse_evidence_value(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(Evidence::from_json(scene().value));
}
BENCHMARK(parse_evidence_value);

void parse_evidence_text(benchmark::State& state) {
  auto vcek_alone = scene().evidence;
  vcek_alone.certificates.resize(1);
  const auto text = codec::json::serialize(vcek_alone.to_json());
  for (auto _ : state) benchmark::DoNotOptimize(Evidence::from_json(*codec::json::parse(text)));
}
BENCHMARK(parse_evidence_text);

}  // namespace
}  // namespace coffer::evidence::snp

BENCHMARK_MAIN();
