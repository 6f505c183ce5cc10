#include "wasm/detail/native_engine.h"

#include <exception>

#include "coffer_native.h"

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

coffer_view view_of(ByteView bytes) {
  return {reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()};
}
coffer_view view_of(std::string_view text) {
  return view_of(as_bytes(text));
}
ByteView bytes_of(coffer_view view) {
  return {reinterpret_cast<const std::byte*>(view.data), view.size};
}
ByteView bytes_of(const coffer_buffer& buffer) {
  return bytes_of(coffer_view{buffer.data, buffer.size});
}

class Buffer {
 public:
  Buffer() = default;
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
  ~Buffer() { coffer_buffer_free(buffer_); }

  coffer_buffer* out() { return &buffer_; }
  ByteView bytes() const { return bytes_of(buffer_); }

 private:
  coffer_buffer buffer_{nullptr, 0, 0};
};

WasmError error_of(std::int32_t status) {
  switch (status) {
    case COFFER_WASM_BAD_MODULE: return WasmError::bad_module;
    case COFFER_WASM_UNSUPPORTED_IMPORT: return WasmError::unsupported_import;
    case COFFER_WASM_MISSING_EXPORT: return WasmError::missing_export;
    case COFFER_WASM_BAD_ARGUMENTS: return WasmError::bad_arguments;
    case COFFER_WASM_BAD_PREOPEN: return WasmError::bad_preopen;
    case COFFER_WASM_TRAP: return WasmError::trap;
    case COFFER_WASM_OUT_OF_MEMORY: return WasmError::out_of_memory;
    case COFFER_WASM_OUT_OF_FUEL: return WasmError::out_of_fuel;
    case COFFER_WASM_TIMEOUT: return WasmError::timeout;
    case COFFER_WASM_CANCELLED: return WasmError::cancelled;
    case COFFER_WASM_NO_RESPONSE: return WasmError::no_response;
    default: return WasmError::internal;
  }
}

bool write_to_sink(void* context, coffer_view bytes) noexcept try {
  return (*static_cast<const Sink*>(context))(bytes_of(bytes));
} catch (const std::exception&) {
  return false;
}

coffer_wasm_output output_of(const Sink& sink) {
  if (!sink) return {nullptr, nullptr};
  return {&write_to_sink, const_cast<Sink*>(&sink)};
}

std::size_t read_from_source(void* context, std::uint8_t* buffer, std::size_t size) noexcept try {
  return (*static_cast<Source*>(context))({reinterpret_cast<std::byte*>(buffer), size});
} catch (const std::exception&) {
  return 0;
}

void release_source(void* context) noexcept {
  delete static_cast<Source*>(context);
}

coffer_wasm_input input_of(const Source& source) {
  if (!source) return {nullptr, nullptr, nullptr};
  return {&read_from_source, &release_source, new Source(source)};
}

// The invocation in the ABI's shape; its views are into `source`, which outlives it.
class NativeInvocation {
 public:
  NativeInvocation(std::string_view function, const Invocation& source, const coffer_wasm_cancel* cancel) {
    for (const auto& argument : source.arguments) arguments_.push_back(view_of(argument));
    for (const auto& [key, value] : source.environment) environment_.push_back({view_of(key), view_of(value)});
    for (const auto& preopen : source.preopens) {
      const std::string_view host{preopen.host_path.native()};
      preopens_.push_back({view_of(host), view_of(preopen.guest_path), preopen.read_only});
    }
    const auto& limits = source.limits;
    value_ = {.function = view_of(function),
              .arguments = arguments_.data(),
              .argument_count = arguments_.size(),
              .environment = environment_.data(),
              .environment_count = environment_.size(),
              .preopens = preopens_.data(),
              .preopen_count = preopens_.size(),
              .standard_input = input_of(source.standard_input),
              .standard_output = output_of(source.standard_output),
              .standard_error = output_of(source.standard_error),
              .memory = limits.memory,
              .fuel = limits.fuel.value_or(0),
              .has_fuel = limits.fuel.has_value(),
              .wall_time_milliseconds = static_cast<std::uint64_t>(limits.wall_time.value_or(Duration{}).count()),
              .has_wall_time = limits.wall_time.has_value(),
              .cancel = cancel};
  }
  NativeInvocation(const NativeInvocation&) = delete;
  NativeInvocation& operator=(const NativeInvocation&) = delete;

  const coffer_wasm_invocation& value() const { return value_; }

 private:
  std::vector<coffer_view> arguments_;
  std::vector<coffer_wasm_pair> environment_;
  std::vector<coffer_wasm_preopen> preopens_;
  coffer_wasm_invocation value_{};
};

// A message is one line of bounded length. The engine's have several, and names in a backtrace are the guest's own
// words, which must not reach a terminal as they are.
std::string one_line(std::string_view text) {
  constexpr std::size_t longest = 600;
  std::string out;
  for (const char c : text) {
    const bool blank = static_cast<unsigned char>(c) <= 0x20 || c == 0x7f;
    if (!blank) {
      out += c;
    } else if (!out.empty() && out.back() != ' ') {
      out += ' ';
    }
  }
  if (out.ends_with(' ')) out.pop_back();
  if (out.size() <= longest) return out;
  auto end = longest;
  while (end > 0 && (static_cast<unsigned char>(out[end]) & 0xc0) == 0x80) --end;  // never inside of a character
  return out.substr(0, end) + " ...";
}

std::string message_of(WasmError error, std::string_view text) {
  if (!text.empty()) return one_line(text);
  if (error == WasmError::timeout) return "the guest ran longer than its wall time and was stopped";
  if (error == WasmError::cancelled) return "the guest was stopped on request";
  if (error == WasmError::out_of_fuel) return "the guest used all of its fuel";
  return "no reason is known";
}

std::unexpected<Error> failure(std::int32_t status, std::string_view text) {
  const auto error = error_of(status);
  return fail(error, message_of(error, text));
}

// Takes over the outcome's text.
Result<RunResult> result_of(std::int32_t status, const coffer_wasm_outcome& outcome) {
  auto text = to_text(bytes_of(outcome.text));
  coffer_buffer_free(outcome.text);
  if (status != COFFER_WASM_DONE) return failure(status, text);
  return RunResult{outcome.exit_code, std::move(text), outcome.peak_memory, outcome.fuel};
}

std::vector<std::pair<std::string, std::string>> headers_of(std::string_view lines) {
  std::vector<std::pair<std::string, std::string>> headers;
  while (!lines.empty()) {
    const auto line = lines.substr(0, lines.find('\n'));
    const auto tab = line.find('\t');
    headers.emplace_back(line.substr(0, tab), line.substr(tab + 1));
    lines.remove_prefix(line.size() + 1);
  }
  return headers;
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

Result<NativeEngine> NativeEngine::create(bool metered, std::size_t instances) {
  Buffer error;
  NativeEngine engine;
  engine.handle_.reset(coffer_wasm_engine_new(metered, static_cast<std::uint32_t>(instances), error.out()));
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
