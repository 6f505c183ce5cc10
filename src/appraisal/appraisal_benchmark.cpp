// Whole appraisals through the built-in service, by one thread and by several at once: SNP evidence whose chain is
// known, default policy, token. A lock that appraisals share would show in the second row.
#include <benchmark/benchmark.h>

#include <cstdlib>

#include "appraisal/builtin_service.h"
#include "evidence/simulator_root.h"
#include "evidence/snp/simulate.h"

namespace coffer::appraisal {
namespace {

using namespace std::chrono_literals;
using evidence::TeeKind;

struct Scene {
  TimePoint now = system_clock().now();
  evidence::SimulatorRoot root = evidence::make_simulator_root(now).value();
  std::shared_ptr<BuiltinAttestationService> service = make_service();
  EvaluationRequest request = make_request();

  std::shared_ptr<BuiltinAttestationService> make_service() const {
    evidence::RegistryOptions options{.allow_tees = {"simulated:snp"}, .attesters = false};
    options.verifier.simulator_roots = {root.certificate};
    const auto registry = std::make_shared<const evidence::Registry>(evidence::Registry::create(options).value());
    return BuiltinAttestationService::create({.store = storage::make_memory_store(), .registry = registry}).value();
  }

  EvaluationRequest make_request() const {
    const codec::json::Object key{{"kty", "EC"},
                                  {"crv", "P-256"},
                                  {"alg", "ECDH-ES+A256KW"},
                                  {"x", "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"},
                                  {"y", "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}};
    const auto runtime = evidence::RuntimeData::create("nonce", key).value();
    const auto digest = runtime.primary_digest();
    evidence::snp::Field<64> report_data{};
    std::copy(digest.begin(), digest.end(), report_data.begin());
    const auto platform = evidence::snp::SimulatedPlatform::create(
                              root, {.not_before = now - 1h, .not_after = now + 24h, .rsa_bits = 2048})
                              .value();
    auto evidence = evidence::snp::simulate(platform, {}, {}, report_data).value().to_json();
    return rcar_evaluation(TeeKind::snp, std::move(evidence), runtime, std::nullopt).value();
  }
};

const Scene& scene() {
  static const Scene made;
  return made;
}

void service_appraisal(benchmark::State& state) {
  const auto& made = scene();  // before the clock runs
  for (auto _ : state) {
    if (!made.service->evaluate(made.request)) std::abort();
  }
}
BENCHMARK(service_appraisal)->ThreadRange(1, 2)->UseRealTime();

}  // namespace
}  // namespace coffer::appraisal

BENCHMARK_MAIN();
