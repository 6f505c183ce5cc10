// What the start of a module costs that is compiled already: from the command, parsed or not, to its result. The guest
// adds two numbers, so that nearly all of it lies before the guest is entered.
#include <benchmark/benchmark.h>

#include <semaphore>

#include "base/log.h"
#include "fleet/worker/dispatcher.h"
#include "fleet/worker/runtimes/tee_runtime.h"
#include "fleet/worker/runtimes/wasm_runtime.h"
#include "image/digest.h"
#include "image/push.h"
#include "image/registry.h"
#include "image/testing/fake_registry.h"
#include "keyclient/fake_broker_testing.h"

namespace coffer::fleet::worker {
namespace {

// (module (memory 1) (func (export "add") (param i32 i32) (result i32) local.get 0 local.get 1 i32.add))
constexpr std::string_view add_module{
    "\x00\x61\x73\x6d\x01\x00\x00\x00\x01\x07\x01\x60\x02\x7f\x7f\x01\x7f\x03\x02\x01\x00\x05\x03\x01\x00\x01"
    "\x07\x07\x01\x03\x61\x64\x64\x00\x00\x0a\x09\x01\x07\x00\x20\x00\x20\x01\x6a\x0b",
    46};

// With a custom section that makes it as large as real ones are: what the digest of a module costs shows.
Bytes module_of(std::size_t size) {
  auto module = to_bytes(add_module);
  if (size <= module.size() + 8) return module;
  const auto left = size - module.size() - 6;  // the section's header, with a size of five bytes
  module.push_back(std::byte{0});
  for (int i = 0; i < 5; ++i) module.push_back(std::byte((left >> (7 * i) & 0x7f) | (i < 4 ? 0x80 : 0)));
  module.resize(module.size() + left);  // an empty name, and zeros
  return module;
}

struct Parts {
  explicit Parts(std::size_t size) {
    config.identity.entity = "worker";
    config.tasks.duplicate_window = Duration{0};
    task = {.id = "t", .name = "add", .file = module_of(size), .inputs = {"5", "10"}};
  }

  Config config{};
  StartCommand task{};
  ChunkAssembler chunks{};
  wasm::Runtime engine = wasm::Runtime::create().value();
  ModuleLoader loader{config.tasks, ModuleLoader::Parts{.http = nullptr, .chunks = &chunks}};
  WasmRuntime runtime{loader, InProcess{engine, config.tasks, "worker"}};
};

// Parsed command to result, on one thread.
void warm_start(benchmark::State& state) {
  Parts parts(static_cast<std::size_t>(state.range(0)));
  const std::map<std::string, std::string> env;
  for (auto _ : state) {
    const auto module = parts.runtime.prepare(parts.task, {});
    if (!module) return state.SkipWithError(to_string(module.error()).c_str());
    const auto report = parts.runtime.run(*module, {parts.task, parts.task.inputs, env}, {});
    if (report.results != "15") return state.SkipWithError("the result is not 15");
  }
}
BENCHMARK(warm_start)->Arg(46)->Arg(100 << 10)->Unit(benchmark::kMicrosecond)->UseRealTime();

// The same of a module that the command names by digest, and that is known.
void warm_start_by_digest(benchmark::State& state) {
  Parts parts(100 << 10);
  parts.task.module_digest = image::Digest::of(*parts.task.file).text();
  const std::map<std::string, std::string> env;
  for (auto _ : state) {
    const auto module = parts.runtime.prepare(parts.task, {});
    if (!module) return state.SkipWithError(to_string(module.error()).c_str());
    const auto report = parts.runtime.run(*module, {parts.task, parts.task.inputs, env}, {});
    if (report.results != "15") return state.SkipWithError("the result is not 15");
  }
}
BENCHMARK(warm_start_by_digest)->Unit(benchmark::kMicrosecond)->UseRealTime();

// The same of a module that is ready: what an invocation of a latent task does.
void warm_run(benchmark::State& state) {
  Parts parts(46);
  const std::map<std::string, std::string> env;
  const auto module = parts.runtime.prepare(parts.task, {});
  if (!module) return state.SkipWithError(to_string(module.error()).c_str());
  for (auto _ : state) {
    const auto report = parts.runtime.run(*module, {parts.task, parts.task.inputs, env}, {});
    if (report.results != "15") return state.SkipWithError("the result is not 15");
  }
}
BENCHMARK(warm_run)->Unit(benchmark::kMicrosecond)->UseRealTime();

// An encrypted module that is kept opened, named by its image's digest: nobody is asked, the token's life is looked at.
void warm_start_kept(benchmark::State& state) {
  Parts parts(100 << 10);
  keyclient::FakeBroker broker;
  image::testing::FakeRegistry registry;
  image::ocicrypt::Recipients recipients;
  recipients.keks.push_back({codec::ResourceUri::parse("kbs:///default/key/k1").value(),
                             SecretBytes::copy_of(broker.resources.at("default/key/k1"))});
  const auto tagged =
      image::Registry::open(image::ImageReference::parse(registry.host() + "/team/app:1").value()).value();
  const auto pushed = image::push_wasm(*parts.task.file, *tagged, {.recipients = &recipients}).value();
  parts.task.file.reset();
  parts.task.encrypted = true;
  parts.task.image_url = registry.host() + "/team/app@" + pushed.manifest_digest.text();
  parts.config.tee = {.test_tee = "sample", .kbs_uri = broker.url()};
  parts.config.tee.module_cache.age = std::chrono::hours{1};
  parts.config.tasks.layer_store.clear();
  const auto tee = TeeAccess::open(parts.config).value();
  const SignaturePolicy signatures{{}, {}};
  TeeWasmRuntime runtime(parts.config, {.tee = *tee, .loader = parts.loader, .signatures = signatures, .http = nullptr},
                         InProcess{parts.engine, parts.config.tasks, "worker"});
  const std::map<std::string, std::string> env;
  for (auto _ : state) {
    const auto module = runtime.prepare(parts.task, {});
    if (!module) return state.SkipWithError(to_string(module.error()).c_str());
    const auto report = runtime.run(*module, {parts.task, parts.task.inputs, env}, {});
    if (report.results != "15") return state.SkipWithError("the result is not 15");
  }
  if (broker.requests("resource") > 1) state.SkipWithError("the key was asked for again");
}
BENCHMARK(warm_start_kept)->Unit(benchmark::kMicrosecond)->UseRealTime();

// Message to answer: parsed, admitted, handed to a thread, run, written.
void message_to_answer(benchmark::State& state) {
  Parts parts(static_cast<std::size_t>(state.range(0)));
  std::binary_semaphore answered{0};
  Dispatcher dispatcher(parts.config,
                        {.wasm = parts.runtime,
                         .tee = parts.runtime,
                         .tee_refusal = [] { return std::optional<Error>{}; },
                         .answer = [&](Topic, const std::string&, Dispatcher::Instant) { answered.release(); }});
  std::size_t number = 0;
  for (auto _ : state) {
    state.PauseTiming();
    parts.task.id = "t" + std::to_string(number++);
    const auto payload = to_json(parts.task);
    state.ResumeTiming();
    dispatcher.start(payload);
    answered.acquire();
  }
}
BENCHMARK(message_to_answer)->Arg(46)->Arg(100 << 10)->Unit(benchmark::kMicrosecond)->UseRealTime();

}  // namespace
}  // namespace coffer::fleet::worker

int main(int argc, char** argv) {
  coffer::log::set_filter("error");
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
