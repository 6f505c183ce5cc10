// A compiled module: immutable, cheap to copy, shared by any number of runs.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "wasm/error.h"

namespace coffer::wasm {

enum class ModuleKind { core, component };

struct Export {
  std::string name;       // "add"; functions of an interface as "wasi:cli/run@0.2.0#run"
  std::string signature;  // "(i32, i32) -> (i32)"
};

// Where a module that was compiled came from.
enum class Origin { compiled, memory_cache, disk_cache };

class Module {
 public:
  ModuleKind kind() const;
  Origin origin() const;
  const std::string& digest() const { return digest_; }  // "sha256:...", of the binary form
  // Exported functions, in the order of the module.
  std::vector<Export> exports() const;
  // It has `_start`, or exports `wasi:cli/run`.
  bool is_command() const;
  // A component that exports `wasi:http/incoming-handler`.
  bool handles_http() const;

 private:
  friend class Instance;
  friend class Runtime;
  struct Impl;
  Module(std::shared_ptr<const Impl> impl, Origin origin, std::string digest);
  std::shared_ptr<const Impl> impl_;
  Origin origin_;
  std::string digest_;
};

}  // namespace coffer::wasm
