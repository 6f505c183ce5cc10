// A plugin's answers of any shape: only a record that says so allows, and only what an environment can carry is added.
#include <cstdlib>

#include "codec/cbor.h"
#include "fleet/worker/plugins/plugin_messages.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace coffer;
  const auto response = codec::cbor::parse(as_bytes({reinterpret_cast<const char*>(data), size}), wasm::value_limits);
  if (!response) return 0;
  const auto* const allow = response->find("allow");
  const bool allowed = allow != nullptr && *allow == wasm::Value{true};
  if (fleet::worker::denial(*response).has_value() == allowed) std::abort();
  fleet::worker::TaskHooks::Environment environment;
  fleet::worker::add_variables(*response, environment);
  for (const auto& [name, value] : environment) {
    if (name.empty() || name.contains('=') || name.contains('\0') || value.contains('\0')) std::abort();
  }
  return 0;
}
