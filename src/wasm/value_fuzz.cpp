// Any CBOR as arguments of a component's function, and as the host's answer to it: what does not fit is refused, and
// what fits comes back as it was.
#include <cstddef>
#include <cstdint>
#include <fstream>
#include <iterator>
#include <optional>
#include <stdexcept>

#include "wasm/runtime.h"

namespace {

using namespace coffer;

wasm::Runtime& runtime() {
  static auto created = wasm::Runtime::create(
      {.max_instances = 2,
       .host_interfaces = {{"test:host/types@0.1.0", {}},
                           {"test:host/echo@0.1.0", {"nothing", "scalars", "bytes", "number", "all-of-it"}}}});
  return created.value();
}

const wasm::Module& component() {
  static const auto module = [] {
    std::ifstream stream(COFFER_WASM_TESTDATA "/values.wasm", std::ios::binary);
    const std::string content{std::istreambuf_iterator<char>{stream}, {}};
    return runtime().compile(to_bytes(content)).value();
  }();
  return module;
}

// What the host answers; nothing: what it was asked.
std::optional<wasm::Value> next_answer;

Result<wasm::Value> answer(std::string_view, std::string_view, std::span<const wasm::Value> arguments) {
  return next_answer ? *next_answer : arguments[0];
}

wasm::Instance& instance() {
  static std::optional<wasm::Instance> kept;
  static int calls = 0;  // its memory is given out and never taken back
  if (!kept || kept->poisoned() || ++calls % 1000 == 0) {
    kept.reset();
    kept = runtime().instantiate(component(), {.host_call = answer}).value();
  }
  return *kept;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto value = codec::cbor::parse({reinterpret_cast<const std::byte*>(data), size}, wasm::value_limits);
  if (!value) return 0;
  for (const auto* function : {"all-of-it", "bytes"}) {
    next_answer.reset();
    const auto result = instance().call(function, {&*value, 1}, std::chrono::seconds{10});
    if (!result && instance().poisoned()) __builtin_trap();  // arguments are refused before the guest is entered
  }
  next_answer = *value;
  const wasm::Value number{1};
  const auto result = instance().call("number", {&number, 1}, std::chrono::seconds{10});
  if (result && *result != *value) __builtin_trap();
  return 0;
}
