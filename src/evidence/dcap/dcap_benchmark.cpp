// Appraisal of TDX and SGX evidence with chains and collateral verified before, as a broker sees it from the second
// quote of a platform on.
#include <benchmark/benchmark.h>

#include "codec/base64.h"
#include "evidence/dcap/engine.h"
#include "evidence/dcap/simulate.h"
#include "evidence/sgx/sgx.h"
#include "evidence/sgx/simulate.h"
#include "evidence/tdx/simulate.h"
#include "evidence/tdx/tdx.h"

namespace coffer::evidence {
namespace {

using namespace std::chrono_literals;

const Bytes digest(48, std::byte{0x11});

struct Setting {
  TimePoint now = system_clock().now();
  dcap::SimulatedAuthority authority = dcap::make_simulated_authority(make_simulator_root(now).value()).value();
  VerifierOptions options{};
  tdx::Evidence td = tdx::simulate(tdx::simulate_platform(authority, {}, now).value(), {}, {}, digest).value();
  Bytes enclave = sgx::simulate(sgx::simulate_platform(authority, {}, now).value(), {}, {}, digest).value();

  Setting() {
    const auto request = dcap::simulated_collateral_request(now - 30min, now + 24h);
    const auto file = dcap::make_collateral_json(authority, request).value();
    options.collateral = dcap::collateral_from_json(file).value();
    options.simulator_roots.push_back(authority.root.certificate);
    options.simulated_tees = {TeeKind::tdx, TeeKind::sgx};
  }
};

const Setting& setting() {
  static const Setting made;
  return made;
}

// The one signature check that libcrypto must do for a quote whose quoting enclave is known.
void libcrypto_signature(benchmark::State& state) {
  const auto quote = dcap::parse_quote(setting().td.quote).value();
  const auto key = crypto::PublicKey::from_ec_coordinates(crypto::KeyKind::ec_p256, quote.attestation_key.first(32),
                                                          quote.attestation_key.last(32))
                       .value();
  for (auto _ : state) {
    if (!key.verify(crypto::SignatureAlgorithm::es256, quote.signed_part, quote.signature)) std::abort();
  }
}
BENCHMARK(libcrypto_signature);

void parse_quote(benchmark::State& state) {
  const auto& quote = setting().td.quote;
  for (auto _ : state) benchmark::DoNotOptimize(dcap::parse_quote(quote));
}
BENCHMARK(parse_quote);

void parse_tdx_evidence(benchmark::State& state) {
  const auto evidence = tdx::to_json(setting().td);
  for (auto _ : state) {
    const auto parsed = tdx::parse_evidence(evidence);
    benchmark::DoNotOptimize(dcap::parse_quote(parsed->quote));
    benchmark::DoNotOptimize(eventlog::EventLog::parse(*parsed->event_log));
  }
}
BENCHMARK(parse_tdx_evidence);

void appraise(benchmark::State& state, const Verifier& verifier, const codec::json::Value& evidence) {
  if (!verifier.verify(evidence, {digest, {}}, setting().now)) state.SkipWithError("refused");
  for (auto _ : state) benchmark::DoNotOptimize(verifier.verify(evidence, {digest, {}}, setting().now));
}

void appraise_tdx_cached(benchmark::State& state) {
  const auto verifier = tdx::make_verifier(TeeKind::tdx, setting().options).value();
  appraise(state, *verifier, tdx::to_json(setting().td));
}
BENCHMARK(appraise_tdx_cached)->ThreadRange(1, 2)->UseRealTime();

void appraise_sgx_cached(benchmark::State& state) {
  const auto verifier = sgx::make_verifier(TeeKind::sgx, setting().options).value();
  appraise(state, *verifier, codec::json::Object{{"quote", codec::base64_encode(setting().enclave)}});
}
BENCHMARK(appraise_sgx_cached);

void appraise_tdx_first_quote_of_a_platform(benchmark::State& state) {
  const auto evidence = tdx::to_json(setting().td);
  for (auto _ : state) {
    const auto verifier = tdx::make_verifier(TeeKind::tdx, setting().options).value();
    benchmark::DoNotOptimize(verifier->verify(evidence, {digest, {}}, setting().now));
  }
}
BENCHMARK(appraise_tdx_first_quote_of_a_platform);

}  // namespace
}  // namespace coffer::evidence

BENCHMARK_MAIN();
