// The WASM engine: Wasmtime in native/. One Runtime a process; it and its modules may be used from any thread.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "base/secret_bytes.h"
#include "wasm/error.h"
#include "wasm/host.h"
#include "wasm/instance.h"
#include "wasm/invocation.h"
#include "wasm/module.h"

namespace coffer::wasm {

// Compiled modules on disk. An artefact is machine code that is executed, so it is authenticated before it is loaded:
// by HMAC-SHA-256 under `key` over the module's digest, the engine's version and settings, and the artefact.
struct DiskCache {
  std::filesystem::path directory;  // made with mode 0700 where it does not exist
  SecretBytes key;                  // at least 32 bytes, of this home alone
};

struct RuntimeOptions {
  std::optional<DiskCache> disk_cache{};
  std::size_t max_instances = 64;         // at the same time; each reserves address space, not memory
  std::size_t memory_cache_entries = 32;  // compiled modules kept, least recently used first out
  // What components may import beside WASI; each call of them goes to Invocation::host_call.
  std::vector<HostInterface> host_interfaces{};
};

struct CompileOptions {
  // False for modules that were encrypted: neither they nor what was compiled of them may touch a disk.
  bool may_use_disk = true;
  // Count instructions, for Limits::fuel. Slower; cached apart.
  bool metered = false;
};

class Runtime {
 public:
  static Result<Runtime> create(RuntimeOptions options = {});
  Runtime(Runtime&&) noexcept;
  Runtime& operator=(Runtime&&) noexcept;
  ~Runtime();

  // A core module or component in binary form (not text). bad_module, unsupported_import.
  Result<Module> compile(ByteView wasm, const CompileOptions& options = {});

  // Runs `_start`, or `wasi:cli/run` of a component. Blocks until the guest has ended or was stopped.
  Result<CommandResult> run(const Module& module, const Invocation& invocation);

  // Calls one exported function. Arguments and results are text: of core modules decimal or 0x numbers by signature,
  // of components WAVE. `_initialize` runs first where a core module has it.
  Result<CallResult> call(const Module& module, std::string_view function, const Invocation& invocation);

  // Lets a new instance of a component that handles HTTP answer one request. Also the errors of call; no_response.
  Result<HandledRequest> handle(const Module& module, const HttpRequest& request, const Invocation& invocation);

  // An instance to keep. `_initialize` has run where a core module has it, within the invocation's wall time. The
  // invocation's arguments are the guest's argv; what it refers to must live as long as the instance.
  Result<Instance> instantiate(const Module& module, const Invocation& invocation);

 private:
  struct Impl;
  explicit Runtime(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace coffer::wasm
