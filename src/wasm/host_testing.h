// Components of testdata/ that were made from text (see there), and a runtime that links the interface they import.
#pragma once

#include <string>

#include "wasm/guest_testing.h"

namespace coffer::wasm::testing {

inline Bytes made_component(const std::string& name) {
  const auto path = std::filesystem::path{COFFER_WASM_TESTDATA} / (name + ".wasm");
  std::ifstream stream(path, std::ios::binary);
  EXPECT_TRUE(stream) << path;
  const std::string content{std::istreambuf_iterator<char>{stream}, {}};
  return to_bytes(content);
}

inline Runtime& host_runtime() {
  static auto created = Runtime::create(
      {.max_instances = 8,
       .host_interfaces = {{"test:host/types@0.1.0", {}},
                           {"test:host/echo@0.1.0", {"nothing", "scalars", "bytes", "number", "all-of-it"}}}});
  if (!created) throw std::runtime_error(to_string(created.error()));
  return *created;
}

inline Module values_component(CompileOptions options = {}) {
  auto module = host_runtime().compile(made_component("values"), options);
  if (!module) throw std::runtime_error(to_string(module.error()));
  return std::move(*module);
}

inline Instance kept(const Module& module, const Invocation& invocation) {
  auto instance = (module.kind() == ModuleKind::component ? host_runtime() : runtime()).instantiate(module, invocation);
  if (!instance) throw std::runtime_error(to_string(instance.error()));
  return std::move(*instance);
}

}  // namespace coffer::wasm::testing
