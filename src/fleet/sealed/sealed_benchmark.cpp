// What a seal costs beside the cipher alone. Payloads: a heartbeat's size, 4 KiB, and a module in a task.
#include <benchmark/benchmark.h>

#include "crypto/aead.h"
#include "fleet/sealed/sealed_channel.h"

namespace coffer::fleet::sealed {
namespace {

constexpr std::string_view topic = "m/0b5d1f3e-tenant/c/5b1f9a37-channel/control/manager/start";

void cipher_alone(benchmark::State& state) {
  const auto key = crypto::system_random().secret(32);
  const auto nonce = crypto::system_random().bytes(crypto::gcm_iv_size);
  const Bytes payload(static_cast<std::size_t>(state.range(0)), std::byte{'x'});
  for (auto _ : state) benchmark::DoNotOptimize(crypto::aes_gcm_seal_joined(key.expose(), nonce, {}, payload));
}

void seal(benchmark::State& state) {
  SealedChannel sender({.own_id = "manager"});
  sender.set_keys(GroupKeys::create(system_clock().now()));
  const std::string payload(static_cast<std::size_t>(state.range(0)), 'x');
  for (auto _ : state) benchmark::DoNotOptimize(sender.seal(topic, payload));
}

void seal_and_open(benchmark::State& state) {
  const auto document = GroupKeys::create(system_clock().now()).document();
  SealedChannel sender({.own_id = "manager"}), receiver({.own_id = "worker"});
  for (auto* member : {&sender, &receiver}) member->set_keys(std::move(*GroupKeys::parse(document.expose())));
  const std::string payload(static_cast<std::size_t>(state.range(0)), 'x');
  for (auto _ : state) {
    if (!receiver.open(topic, *sender.seal(topic, payload))) state.SkipWithError("a payload was refused");
  }
}

BENCHMARK(cipher_alone)->Arg(512)->Arg(4096)->Arg(1 << 20);
BENCHMARK(seal)->Arg(512)->Arg(4096)->Arg(1 << 20);
BENCHMARK(seal_and_open)->Arg(512)->Arg(4096)->Arg(1 << 20);

}  // namespace
}  // namespace coffer::fleet::sealed

BENCHMARK_MAIN();
