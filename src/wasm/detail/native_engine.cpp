#include "wasm/detail/native_engine.h"

#include "wasm/detail/native_abi.h"
#include "wasm/detail/native_invocation.h"

namespace coffer::wasm {

Cancellation::Impl::Impl() : handle(coffer_wasm_cancel_new()) {}
Cancellation::Impl::~Impl() {
  coffer_wasm_cancel_free(handle);
}

Cancellation::Cancellation() : impl_(std::make_shared<Impl>()) {}
void Cancellation::cancel() const {
  coffer_wasm_cancel_trigger(impl_->handle);
}

namespace detail {
namespace {

// Takes over the outcome's text.
Result<RunResult> result_of(std::int32_t status, const coffer_wasm_outcome& outcome) {
  auto text = to_text(bytes_of(outcome.text));
  coffer_buffer_free(outcome.text);
  if (status != COFFER_WASM_DONE) return failure(status, text);
  return RunResult{outcome.exit_code, std::move(text), outcome.peak_memory, outcome.fuel};
}

}  // namespace

void NativeModule::Free::operator()(coffer_wasm_module* module) const {
  coffer_wasm_module_free(module);
}
void NativeEngine::Free::operator()(coffer_wasm_engine* engine) const {
  coffer_wasm_engine_free(engine);
}

bool NativeModule::handles_http() const {
  return coffer_wasm_module_handles_http(handle_.get());
}

bool NativeModule::is_component() const {
  return coffer_wasm_module_is_component(handle_.get());
}

Result<std::string> NativeModule::exports() const {
  Buffer out;
  const auto status = coffer_wasm_module_exports(handle_.get(), out.out());
  if (status != COFFER_WASM_DONE) return failure(status, as_text(out.bytes()));
  return to_text(out.bytes());
}

Result<Bytes> NativeModule::serialize() const {
  Buffer out;
  const auto status = coffer_wasm_module_serialize(handle_.get(), out.out());
  if (status != COFFER_WASM_DONE) return failure(status, as_text(out.bytes()));
  return to_bytes(out.bytes());
}

Result<RunResult> NativeModule::run(std::string_view function, const Invocation& invocation,
                                    const coffer_wasm_cancel* cancellation) const {
  const NativeInvocation native(function, invocation, cancellation);
  coffer_wasm_outcome outcome{};
  const auto status = coffer_wasm_run(handle_.get(), &native.value(), &outcome);
  return result_of(status, outcome);
}

Result<RunResult> NativeModule::handle(const HttpRequest& request, const Invocation& invocation,
                                       const coffer_wasm_cancel* cancellation, HttpResponse& response) const {
  const NativeInvocation native({}, invocation, cancellation);
  std::vector<coffer_wasm_pair> headers;
  for (const auto& [name, value] : request.headers) headers.push_back({view_of(name), view_of(value)});
  const coffer_wasm_request asked{.method = view_of(request.method),
                                  .target = view_of(request.target),
                                  .authority = view_of(request.authority),
                                  .headers = headers.data(),
                                  .header_count = headers.size(),
                                  .body = view_of(ByteView{request.body}),
                                  .response_limit = request.response_limit};
  coffer_wasm_outcome outcome{};
  coffer_wasm_response answered{};
  const auto status = coffer_wasm_handle(handle_.get(), &native.value(), &asked, &answered, &outcome);
  response = {.status = answered.status,
              .headers = headers_of(as_text(bytes_of(answered.headers))),
              .body = to_bytes(bytes_of(answered.body))};
  coffer_buffer_free(answered.headers);
  coffer_buffer_free(answered.body);
  return result_of(status, outcome);
}

Result<NativeInstance> NativeModule::instantiate(const Invocation& invocation,
                                                 const coffer_wasm_cancel* cancellation) const {
  const NativeInvocation native({}, invocation, cancellation);
  Buffer error;
  coffer_wasm_instance* instance = nullptr;
  const auto status = coffer_wasm_instance_new(handle_.get(), &native.value(), &instance, error.out());
  if (status != COFFER_WASM_DONE) return failure(status, as_text(error.bytes()));
  NativeInstance result;
  result.handle_.reset(instance);
  return result;
}

Result<NativeEngine> NativeEngine::create(bool metered, std::size_t instances,
                                          const std::vector<HostInterface>& host_interfaces) {
  std::vector<coffer_wasm_pair> functions;
  for (const auto& item : host_interfaces) {
    functions.push_back({view_of(item.name), {}});
    for (const auto& function : item.functions) functions.push_back({view_of(item.name), view_of(function)});
  }
  Buffer error;
  NativeEngine engine;
  engine.handle_.reset(coffer_wasm_engine_new(metered, static_cast<std::uint32_t>(instances), functions.data(),
                                              functions.size(), error.out()));
  if (!engine.handle_) return fail(WasmError::internal, "the WASM engine: " + to_text(error.bytes()));
  return engine;
}

void NativeEngine::tick() const {
  coffer_wasm_engine_tick(handle_.get());
}

std::uint64_t NativeEngine::compatibility() const {
  return coffer_wasm_engine_compatibility(handle_.get());
}

Result<NativeModule> NativeEngine::compile(ByteView wasm) const {
  Buffer error;
  coffer_wasm_module* module = nullptr;
  const auto status = coffer_wasm_compile(handle_.get(), view_of(wasm), &module, error.out());
  if (status != COFFER_WASM_DONE) return failure(status, as_text(error.bytes()));
  NativeModule result;
  result.handle_.reset(module);
  return result;
}

Result<NativeModule> NativeEngine::load_authenticated(ByteView artefact, bool component) const {
  Buffer error;
  coffer_wasm_module* module = nullptr;
  const auto status = coffer_wasm_load(handle_.get(), view_of(artefact), component, &module, error.out());
  if (status != COFFER_WASM_DONE) return failure(status, as_text(error.bytes()));
  NativeModule result;
  result.handle_.reset(module);
  return result;
}

}  // namespace detail
}  // namespace coffer::wasm
