#include "wasm/detail/host_callbacks.h"

#include <exception>

#include "codec/cbor.h"
#include "net/error.h"
#include "wasm/detail/outgoing_client.h"

namespace coffer::wasm::detail {
namespace {

Result<Bytes> answer(const HostCall& call, coffer_view interface_name, coffer_view function, coffer_view arguments) {
  const auto parsed = TRY(codec::cbor::parse(bytes_of(arguments), value_limits));
  const auto* values = parsed.if_array();
  if (values == nullptr) return fail(WasmError::internal, "the arguments are no array");
  auto encoded = codec::cbor::encode(
      TRY(call(as_text(bytes_of(interface_name)), as_text(bytes_of(function)), std::span{*values})));
  if (encoded.size() > value_limits.max_size) {
    return fail(WasmError::bad_result, "the host's answer has " + std::to_string(encoded.size()) +
                                           " bytes, the limit is " + std::to_string(value_limits.max_size));
  }
  return encoded;
}

bool call_host(void* context, coffer_view interface_name, coffer_view function, coffer_view arguments,
               coffer_buffer* out) noexcept try {
  const auto answered = answer(*static_cast<const HostCall*>(context), interface_name, function, arguments);
  *out = coffer_buffer_copy(answered ? view_of(ByteView{*answered}) : view_of(answered.error().message));
  return answered.has_value();
} catch (const std::exception& error) {
  *out = coffer_buffer_copy(view_of(std::string_view{error.what()}));
  return false;
}

bool allows(void* context, coffer_view host_and_port) noexcept try {
  return static_cast<const OutgoingClient*>(context)->allows(as_text(bytes_of(host_and_port)));
} catch (const std::exception&) {
  return false;
}

std::int32_t status_of(const Error& error) {
  using net::NetError;
  if (error.code == ErrorCode{NetError::unresolved}) return COFFER_WASM_SENT_UNRESOLVED;
  if (error.code == ErrorCode{NetError::refused}) return COFFER_WASM_SENT_REFUSED;
  if (error.code == ErrorCode{NetError::unreachable}) return COFFER_WASM_SENT_TERMINATED;
  if (error.code == ErrorCode{NetError::tls}) return COFFER_WASM_SENT_TLS;
  if (error.code == ErrorCode{NetError::timeout}) return COFFER_WASM_SENT_TIMEOUT;
  if (error.code == ErrorCode{NetError::too_large}) return COFFER_WASM_SENT_TOO_LARGE;
  if (error.code == ErrorCode{NetError::protocol}) return COFFER_WASM_SENT_PROTOCOL;
  if (error.code == ErrorCode{NetError::bad_url}) return COFFER_WASM_SENT_BAD_URL;
  return COFFER_WASM_SENT_INTERNAL;
}

net::HttpRequest request_of(const coffer_wasm_outgoing_request& asked) {
  net::HttpRequest request{.method = to_text(bytes_of(asked.method)), .url = to_text(bytes_of(asked.url))};
  for (std::size_t i = 0; i < asked.header_count; ++i) {
    request.headers.add(as_text(bytes_of(asked.headers[i].key)), to_text(bytes_of(asked.headers[i].value)));
  }
  request.body = to_bytes(bytes_of(asked.body));
  return request;
}

std::int32_t send(void* context, const coffer_wasm_outgoing_request* asked, coffer_wasm_response* response) noexcept
    try {
  // A day is longer than any limit of ours, and fits a Duration.
  const auto first_byte = std::min<std::uint64_t>(asked->first_byte_milliseconds, 86'400'000);
  const auto sent = static_cast<const OutgoingClient*>(context)->send(request_of(*asked), Duration{first_byte});
  if (!sent) {
    response->headers = coffer_buffer_copy(view_of(sent.error().message));
    return status_of(sent.error());
  }
  response->status = static_cast<std::uint32_t>(sent->status);
  response->headers = coffer_buffer_copy(view_of(lines_of({sent->headers.begin(), sent->headers.end()})));
  response->body = coffer_buffer_copy(view_of(ByteView{sent->body}));
  return COFFER_WASM_SENT;
} catch (const std::exception&) {
  return COFFER_WASM_SENT_INTERNAL;
}

void release(void* context) noexcept {
  delete static_cast<OutgoingClient*>(context);
}

}  // namespace

coffer_wasm_host host_of(const HostCall& call) {
  if (!call) return {nullptr, nullptr};
  return {&call_host, const_cast<HostCall*>(&call)};
}

coffer_wasm_outgoing outgoing_of(const std::optional<OutgoingHttp>& options) {
  auto client = std::make_unique<OutgoingClient>(options.value_or(OutgoingHttp{}));
  const auto max_body = client->max_body();
  return {&allows, &send, &release, client.release(), max_body};
}

}  // namespace coffer::wasm::detail
