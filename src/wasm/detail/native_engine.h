// The wasm half of coffer_native.h as owned handles and Results.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "wasm/detail/native_instance.h"
#include "wasm/error.h"
#include "wasm/host.h"
#include "wasm/invocation.h"

struct coffer_wasm_engine;
struct coffer_wasm_module;
struct coffer_wasm_cancel;

namespace coffer::wasm {

struct Cancellation::Impl {
  Impl();
  ~Impl();
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  coffer_wasm_cancel* handle;
};

namespace detail {

// What a run left, before it is known whether it was a command or a call.
struct RunResult {
  int exit_code = 0;
  std::string text{};  // results, one a line
  std::uint64_t peak_memory = 0;
  std::uint64_t fuel = 0;
};

class NativeModule {
 public:
  bool is_component() const;
  bool handles_http() const;
  // Lines of "name\tsignature".
  Result<std::string> exports() const;
  Result<Bytes> serialize() const;
  // `function` empty: the command. `cancellation` may be null.
  Result<RunResult> run(std::string_view function, const Invocation& invocation,
                        const coffer_wasm_cancel* cancellation) const;
  // A component that handles_http(). `response` is filled where it went well.
  Result<RunResult> handle(const HttpRequest& request, const Invocation& invocation,
                           const coffer_wasm_cancel* cancellation, HttpResponse& response) const;
  // `invocation` outlives the instance.
  Result<NativeInstance> instantiate(const Invocation& invocation, const coffer_wasm_cancel* cancellation) const;

 private:
  friend class NativeEngine;
  struct Free {
    void operator()(coffer_wasm_module* module) const;
  };
  std::unique_ptr<coffer_wasm_module, Free> handle_;
};

class NativeEngine {
 public:
  static Result<NativeEngine> create(bool metered, std::size_t instances,
                                     const std::vector<HostInterface>& host_interfaces);

  void tick() const;
  std::uint64_t compatibility() const;
  Result<NativeModule> compile(ByteView wasm) const;
  // `artefact` is executed: only what was authenticated may be given.
  Result<NativeModule> load_authenticated(ByteView artefact, bool component) const;

 private:
  struct Free {
    void operator()(coffer_wasm_engine* engine) const;
  };
  std::unique_ptr<coffer_wasm_engine, Free> handle_;
};

}  // namespace detail
}  // namespace coffer::wasm
