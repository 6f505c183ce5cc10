// An appraisal of TPM evidence against the one signature check that libcrypto must do for it, and what its parsing
// costs.
#include <benchmark/benchmark.h>

#include "evidence/eventlog/event_log.h"
#include "evidence/tpm/evidence.h"
#include "evidence/tpm/simulate.h"

namespace coffer::evidence::tpm {
namespace {

using namespace std::chrono_literals;

struct Scene {
  TimePoint now = system_clock().now();
  SimulatorRoot root = make_simulator_root(now).value();
  SimulatedKey key = make_simulated_key(root, {.not_before = now - 1h, .not_after = now + 1h}).value();
  Bytes log = boot_log({});
  codec::json::Value with_log = evidence(log);
  codec::json::Value without_log = evidence(std::nullopt);
  std::unique_ptr<Verifier> verifier = make_verifier(TeeKind::tpm, {}).value();

  codec::json::Value evidence(std::optional<Bytes> with) const {
    const auto tpm = SoftwareTpm::create(key, {}, log).value();
    const auto source = [with]() -> Result<std::optional<Bytes>> { return with; };
    return make_attester_over(tpm, source)->attest(Bytes(48)).value();
  }
};

const Scene& scene() {
  static const Scene made;
  return made;
}

void libcrypto_signature(benchmark::State& state) {
  const auto evidence = parse_evidence(scene().without_log).value();
  const auto key = crypto::PublicKey::from_spki_der(evidence.ak_public).value();
  const auto signature = parse_signature(evidence.signature).value();
  for (auto _ : state) {
    if (!key.verify(crypto::SignatureAlgorithm::rs256, evidence.message, signature.rsa)) std::abort();
  }
}
BENCHMARK(libcrypto_signature);

void parsing(benchmark::State& state) {
  for (auto _ : state) {
    const auto evidence = parse_evidence(scene().without_log);
    if (!parse_quote(evidence->message) || !parse_signature(evidence->signature)) std::abort();
  }
}
BENCHMARK(parsing);

void event_log_parsing(benchmark::State& state) {
  for (auto _ : state) {
    if (!eventlog::EventLog::parse(scene().log)) std::abort();
  }
}
BENCHMARK(event_log_parsing);

void appraisal(benchmark::State& state) {
  for (auto _ : state) {
    if (!scene().verifier->verify(scene().without_log, {}, scene().now)) std::abort();
  }
}
BENCHMARK(appraisal);

void appraisal_with_event_log(benchmark::State& state) {
  for (auto _ : state) {
    if (!scene().verifier->verify(scene().with_log, {}, scene().now)) std::abort();
  }
}
BENCHMARK(appraisal_with_event_log);

}  // namespace
}  // namespace coffer::evidence::tpm

BENCHMARK_MAIN();
