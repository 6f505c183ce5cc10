// An instance that is kept and called many times, as a plugin is. A run by Runtime has an instance of its own instead.
#pragma once

#include <memory>
#include <span>
#include <string_view>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/result.h"
#include "wasm/error.h"
#include "wasm/value.h"

namespace coffer::wasm {

// Used by one thread at a time. It takes one of its Runtime's `max_instances`, and must not outlive it.
//
// Fuel counts anew for each call; memory counts for the instance as long as it lives. A call that traps, runs over its
// time or fuel, is cancelled or gives something unusable leaves the guest in a state that nobody knows: all later
// calls fail with `poisoned`, and the owner makes a new instance.
class Instance {
 public:
  Instance(Instance&&) noexcept;
  Instance& operator=(Instance&&) noexcept;
  ~Instance();

  // It exports this function: "add", or of an interface "docs:adder/add@0.1.0#sum".
  bool has(std::string_view function) const;
  bool poisoned() const;

  // Components: calls a function with typed values (value.h). missing_export and bad_arguments leave the instance as
  // it was; trap, out_of_memory, out_of_fuel, timeout, cancelled, bad_result poison it.
  Result<Value> call(std::string_view function, std::span<const Value> arguments, Duration budget);

  // Core modules: copies `input` to where the guest's `plugin_alloc(size: i32) -> i32` says, calls
  // `function(pointer: i32, size: i32) -> i64` and copies out what its result names (pointer << 32 | size). Both pieces
  // are given back by `plugin_free(pointer: i32, size: i32)` where the guest has it. At most `max_exchange` bytes each
  // way. Errors as of call; bad_result where a pointer or size is outside of the guest's memory.
  Result<Bytes> exchange(std::string_view function, ByteView input, Duration budget);
  static constexpr std::size_t max_exchange = std::size_t{16} << 20;

 private:
  friend class Runtime;
  struct Impl;
  explicit Instance(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace coffer::wasm
