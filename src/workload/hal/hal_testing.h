// One task's HAL and what its guest would see of it.
#pragma once

#include <gtest/gtest.h>

#include "testing/temporary_directory.h"
#include "workload/hal/hal.h"
#include "workload/hal/interface.h"

namespace coffer::workload::hal::testing {

// A task with clock, randomness and a folder of its own; tests change services and task before the first call.
class Guest {
 public:
  Guest();

  // The function's answer as it crosses to the guest. `interface_name`: "crypto".
  Result<Value> raw(std::string_view interface_name, std::string_view function, std::vector<Value> arguments = {});
  // The value in {"ok": ...}; null, and a failure, where there is none.
  Value ok(std::string_view interface_name, std::string_view function, std::vector<Value> arguments = {});
  // The stable code at the start of {"err": ...}; empty where there is none.
  std::string err(std::string_view interface_name, std::string_view function, std::vector<Value> arguments = {});
  // The code of the error that traps; empty where there is none.
  std::string trap(std::string_view interface_name, std::string_view function, std::vector<Value> arguments = {});
  std::uint64_t handle(std::string_view interface_name, std::string_view function, std::vector<Value> arguments = {});

  TemporaryDirectory folder;
  FixedClock clock{from_unix_seconds(1'700'000'000)};
  Services services;
  Task task;

 private:
  std::unique_ptr<Hal> hal_;
};

inline Value bytes(std::string_view text) {
  return to_bytes(text);
}
inline Value address(std::string_view ip, std::uint16_t port) {
  return record(field("ip", std::string{ip}), field("port", port));
}
AddressList addresses(std::vector<std::string> entries);

}  // namespace coffer::workload::hal::testing
