#include "wasm/runtime.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <functional>
#include <mutex>

#include "base/log.h"
#include "codec/base64.h"
#include "crypto/hash.h"
#include "wasm/detail/artefact_cache.h"
#include "wasm/detail/instance_impl.h"
#include "wasm/detail/memory_cache.h"
#include "wasm/detail/module_impl.h"
#include "wasm/detail/ticker.h"

namespace coffer::wasm {
namespace {

using detail::ArtefactCache;
using detail::ArtefactKey;
using detail::NativeEngine;
using std::chrono::steady_clock;

// No module that anyone runs comes near; compiling takes memory in proportion.
constexpr std::size_t max_module_size = std::size_t{512} << 20;

std::string names_of(const std::vector<Export>& exports) {
  std::string names;
  for (const auto& item : exports) names += (names.empty() ? "" : ", ") + item.name;
  return names.empty() ? "it exports no function" : "it exports: " + names;
}

// "add" stands for "docs:adder/add@0.1.0#add" where only one interface of a component has it.
Result<std::string> resolve(const std::vector<Export>& exports, std::string_view function) {
  std::vector<std::string> found;
  for (const auto& item : exports) {
    if (item.name == function) return item.name;
    const auto hash = item.name.rfind('#');
    if (hash != std::string::npos && item.name.substr(hash + 1) == function) found.push_back(item.name);
  }
  if (found.size() == 1) return found.front();
  const auto why = found.empty() ? "no function " : "more than one function ";
  return fail(WasmError::missing_export,
              std::string{"the module exports "} + why + std::string{function} + "; " + names_of(exports));
}

std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const auto line = text.substr(0, text.find('\n'));
    lines.emplace_back(line);
    text.remove_prefix(std::min(text.size(), line.size() + 1));
  }
  return lines;
}

}  // namespace

struct Runtime::Impl {
  Impl(std::optional<ArtefactCache> disk, const RuntimeOptions& options)
      : max_instances(options.max_instances),
        host_interfaces(options.host_interfaces),
        disk_cache(std::move(disk)),
        memory_cache(options.memory_cache_entries) {}

  // Engines are made when first needed: plain ones count no instructions.
  Result<const NativeEngine*> engine(bool metered) {
    const std::lock_guard lock(engines_mutex);
    auto& slot = engines[metered ? 1 : 0];
    if (!slot)
      slot = std::make_unique<NativeEngine>(TRY(NativeEngine::create(metered, max_instances, host_interfaces)));
    return slot.get();
  }

  void tick() {
    const std::lock_guard lock(engines_mutex);
    for (const auto& engine : engines) {
      if (engine) engine->tick();
    }
  }

  // Null where there is no usable artefact; then the module is compiled, and what was wrong is logged here.
  std::shared_ptr<const Module::Impl> load(const NativeEngine& engine, const ArtefactKey& key);
  void store(const ArtefactKey& key, const detail::NativeModule& module) const;

  std::size_t max_instances;
  std::vector<HostInterface> host_interfaces;
  std::optional<ArtefactCache> disk_cache;
  detail::MemoryCache<Module::Impl> memory_cache;
  std::mutex engines_mutex;
  std::array<std::unique_ptr<NativeEngine>, 2> engines;
  detail::Ticker ticker{[this] { tick(); }};  // last: stops before what it ticks is gone
};

std::shared_ptr<const Module::Impl> Runtime::Impl::load(const NativeEngine& engine, const ArtefactKey& key) {
  const auto load = [&]() -> Result<std::shared_ptr<const Module::Impl>> {
    const auto artefact = TRY(disk_cache->load(key));
    if (!artefact) return nullptr;
    auto native = TRY(engine.load_authenticated(artefact->code, artefact->component));
    return Module::Impl::create(std::move(native), key.metered);
  };
  auto loaded = load();
  if (loaded) return std::move(*loaded);
  log::warn("wasm.cache_entry_ignored", loaded.error().message, {{"code", std::string{loaded.error().code.name()}}});
  return nullptr;
}

void Runtime::Impl::store(const ArtefactKey& key, const detail::NativeModule& module) const {
  const auto store = [&]() -> Result<> {
    return disk_cache->store(key, { .component = module.is_component(), .code = TRY(module.serialize()) });
  };
  const auto stored = store();
  if (stored) return;
  log::warn("wasm.cache_entry_not_stored", stored.error().message, {{"code", std::string{stored.error().code.name()}}});
}

Result<Runtime> Runtime::create(RuntimeOptions options) {
  std::optional<ArtefactCache> disk;
  if (options.disk_cache) disk = TRY(ArtefactCache::open(std::move(*options.disk_cache)));
  auto impl = std::make_unique<Impl>(std::move(disk), options);
  TRY(impl->engine(false));
  return Runtime{std::move(impl)};
}

Runtime::Runtime(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Runtime::Runtime(Runtime&&) noexcept = default;
Runtime& Runtime::operator=(Runtime&&) noexcept = default;
Runtime::~Runtime() = default;

Result<Module> Runtime::compile(ByteView wasm, const CompileOptions& options) {
  if (wasm.size() > max_module_size) {
    return fail(WasmError::bad_module, "the module has " + std::to_string(wasm.size()) + " bytes, the limit is " +
                                           std::to_string(max_module_size));
  }
  const auto* engine = TRY(impl_->engine(options.metered));
  const auto hash = crypto::sha256(wasm);
  auto digest = "sha256:" + codec::hex_encode(hash);
  const ArtefactKey key{hash, engine->compatibility(), options.metered};
  const auto name = key.file_name();
  if (auto known = impl_->memory_cache.find(name))
    return Module{std::move(known), Origin::memory_cache, std::move(digest)};
  const bool use_disk = impl_->disk_cache && options.may_use_disk;
  if (auto loaded = use_disk ? impl_->load(*engine, key) : nullptr) {
    impl_->memory_cache.insert(name, loaded);
    return Module{std::move(loaded), Origin::disk_cache, std::move(digest)};
  }
  auto compiled = TRY(Module::Impl::create(TRY(engine->compile(wasm)), options.metered));
  if (use_disk) impl_->store(key, compiled->native);
  impl_->memory_cache.insert(name, compiled);
  return Module{std::move(compiled), Origin::compiled, std::move(digest)};
}

namespace {

struct Timed {
  detail::RunResult result;
  Usage usage;
};

using Work = std::function<Result<detail::RunResult>()>;

Result<> check_limits(bool metered, const Invocation& invocation) {
  if (!invocation.limits.fuel || metered) return {};
  return fail(WasmError::bad_arguments, "a fuel limit needs a module that was compiled as metered");
}

Result<Timed> run_timed(bool metered, const Invocation& invocation, const Work& work) {
  TRY(check_limits(metered, invocation));
  const auto start = steady_clock::now();
  auto result = TRY(work());
  Usage usage{.peak_memory = result.peak_memory,
              .wall_time = std::chrono::duration_cast<Duration>(steady_clock::now() - start)};
  if (invocation.limits.fuel) usage.fuel = result.fuel;
  return Timed{std::move(result), usage};
}

}  // namespace

Result<CommandResult> Runtime::run(const Module& module, const Invocation& invocation) {
  const auto& impl = *module.impl_;
  if (!module.is_command()) {
    return fail(WasmError::missing_export,
                "the module is no command: it has neither _start nor wasi:cli/run; " + names_of(impl.exports));
  }
  const auto* cancel = invocation.cancellation ? invocation.cancellation->impl_->handle : nullptr;
  const detail::Ticker::Running ticking(impl_->ticker);
  const auto timed = TRY(run_timed(impl.metered, invocation, [&] { return impl.native.run({}, invocation, cancel); }));
  return CommandResult{timed.result.exit_code, timed.usage};
}

Result<CallResult> Runtime::call(const Module& module, std::string_view function, const Invocation& invocation) {
  const auto& impl = *module.impl_;
  const auto name = TRY(resolve(impl.exports, function));
  const auto* cancel = invocation.cancellation ? invocation.cancellation->impl_->handle : nullptr;
  const detail::Ticker::Running ticking(impl_->ticker);
  const auto timed =
      TRY(run_timed(impl.metered, invocation, [&] { return impl.native.run(name, invocation, cancel); }));
  return CallResult{lines_of(timed.result.text), timed.result.exit_code, timed.usage};
}

Result<HandledRequest> Runtime::handle(const Module& module, const HttpRequest& request, const Invocation& invocation) {
  const auto& impl = *module.impl_;
  if (!module.handles_http()) {
    return fail(WasmError::missing_export,
                "the module does not handle HTTP requests (wasi:http/incoming-handler); " + names_of(impl.exports));
  }
  const auto* cancel = invocation.cancellation ? invocation.cancellation->impl_->handle : nullptr;
  const detail::Ticker::Running ticking(impl_->ticker);
  HttpResponse response;
  const auto timed = TRY(
      run_timed(impl.metered, invocation, [&] { return impl.native.handle(request, invocation, cancel, response); }));
  return HandledRequest{std::move(response), timed.usage};
}

Result<Instance> Runtime::instantiate(const Module& module, const Invocation& invocation) {
  TRY(check_limits(module.impl_->metered, invocation));
  auto impl = std::make_unique<Instance::Impl>(module.impl_, invocation);
  if (invocation.cancellation) impl->cancel = invocation.cancellation->impl_->handle;
  impl->ticker = &impl_->ticker;
  const detail::Ticker::Running ticking(impl_->ticker);
  impl->native = TRY(module.impl_->native.instantiate(impl->invocation, impl->cancel));
  return Instance{std::move(impl)};
}

}  // namespace coffer::wasm
