#include "wasm/detail/native_abi.h"

namespace coffer::wasm::detail {
namespace {

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
    case COFFER_WASM_BAD_RESULT: return WasmError::bad_result;
    default: return WasmError::internal;
  }
}

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

}  // namespace

std::unexpected<Error> failure(std::int32_t status, std::string_view text) {
  const auto error = error_of(status);
  return fail(error, message_of(error, text));
}

HeaderList headers_of(std::string_view lines) {
  HeaderList headers;
  while (!lines.empty()) {
    const auto line = lines.substr(0, lines.find('\n'));
    const auto tab = line.find('\t');
    headers.emplace_back(line.substr(0, tab), line.substr(tab + 1));
    lines.remove_prefix(line.size() + 1);
  }
  return headers;
}

std::string lines_of(const HeaderList& headers) {
  std::string lines;
  for (const auto& [name, value] : headers) lines += name + '\t' + value + '\n';
  return lines;
}

}  // namespace coffer::wasm::detail
