// Warm starts: a module that is compiled, a fresh instance for each call.
#include <benchmark/benchmark.h>

#include <array>

#include "wasm/runtime.h"

namespace coffer::wasm {
namespace {

// (module (func (export "add") (param i32 i32) (result i32) local.get 0 local.get 1 i32.add) (memory 1))
constexpr std::array<std::uint8_t, 48> add_module{
    0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00, 0x01, 0x07, 0x01, 0x60, 0x02, 0x7f, 0x7f, 0x01,
    0x7f, 0x03, 0x02, 0x01, 0x00, 0x05, 0x03, 0x01, 0x00, 0x01, 0x07, 0x07, 0x01, 0x03, 0x61, 0x64,
    0x64, 0x00, 0x00, 0x0a, 0x09, 0x01, 0x07, 0x00, 0x20, 0x00, 0x20, 0x01, 0x6a, 0x0b, 0x00, 0x00};

void warm_call(benchmark::State& state) {
  auto runtime = Runtime::create();
  const auto bytes = std::as_bytes(std::span{add_module}).first(46);
  const auto module = runtime ? runtime->compile(bytes) : Result<Module>{fail(runtime.error())};
  if (!module) return state.SkipWithError(to_string(module.error()).c_str());
  const Invocation invocation{.arguments = {"5", "10"}};
  for (auto _ : state) {
    const auto result = runtime->call(*module, "add", invocation);
    if (!result) return state.SkipWithError(to_string(result.error()).c_str());
  }
}
BENCHMARK(warm_call);

}  // namespace
}  // namespace coffer::wasm

BENCHMARK_MAIN();
