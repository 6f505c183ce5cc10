// Warm starts: a module that is compiled, a fresh instance for each call or request. Kept instances: one for all calls.
#include <benchmark/benchmark.h>

#include <array>
#include <fstream>
#include <iterator>

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

// A component of testdata/ (see its text), in a runtime that answers what it imports.
struct Component {
  explicit Component(const std::string& name) {
    std::ifstream stream(std::string{COFFER_WASM_TESTDATA "/"} + name + ".wasm", std::ios::binary);
    const std::string content{std::istreambuf_iterator<char>{stream}, {}};
    module = runtime->compile(to_bytes(content));
  }
  Result<Runtime> runtime = Runtime::create(
      {.host_interfaces = {{"test:host/types@0.1.0", {}},
                           {"test:host/echo@0.1.0", {"nothing", "scalars", "bytes", "number", "all-of-it"}}}});
  Result<Module> module = fail(WasmError::internal, "not compiled");
};

void kept_call(benchmark::State& state, const char* function, const std::vector<Value>& arguments) {
  Component component("values");
  const Invocation invocation{.host_call = [](std::string_view, std::string_view,
                                              std::span<const Value> given) -> Result<Value> { return given[0]; }};
  auto instance = component.runtime->instantiate(*component.module, invocation);
  if (!instance) return state.SkipWithError(to_string(instance.error()).c_str());
  for (auto _ : state) {
    const auto result = instance->call(function, arguments, std::chrono::seconds{10});
    if (!result) return state.SkipWithError(to_string(result.error()).c_str());
  }
}
BENCHMARK_CAPTURE(kept_call, alone, "count", {});
BENCHMARK_CAPTURE(kept_call, with_host, "number", {Value{1}});

// Of a handler that answers at once: it has nowhere to ask.
void handled_request(benchmark::State& state) {
  Component component("fetch");
  for (auto _ : state) {
    const auto handled = component.runtime->handle(*component.module, {.target = "/", .authority = "here"}, {});
    if (!handled) return state.SkipWithError(to_string(handled.error()).c_str());
  }
}
BENCHMARK(handled_request);

}  // namespace
}  // namespace coffer::wasm

BENCHMARK_MAIN();
