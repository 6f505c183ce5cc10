#include "wasm/detail/native_invocation.h"

#include <exception>

#include "wasm/detail/host_callbacks.h"

namespace coffer::wasm::detail {
namespace {

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

}  // namespace

NativeInvocation::NativeInvocation(std::string_view function, const Invocation& source,
                                   const coffer_wasm_cancel* cancel) {
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
            .cancel = cancel,
            .host = host_of(source.host_call),
            .outgoing = outgoing_of(source.outgoing_http)};
}

}  // namespace coffer::wasm::detail
