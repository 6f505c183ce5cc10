// The host interfaces of ELASTIC's hardware abstraction layer, elastic:hal@0.1.0, that components of tasks may import.
// One Hal answers for one task; what it opened is closed with it. A hostile guest gets an error value or a trap.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/secret_bytes.h"
#include "codec/json.h"
#include "crypto/random.h"
#include "wasm/host.h"
#include "workload/hal/address_list.h"
#include "workload/hal/exchange.h"
#include "workload/hal/storage_folder.h"

namespace coffer::workload::hal {

// Every interface with its functions: for wasm::RuntimeOptions.
std::vector<wasm::HostInterface> interfaces();

// A worker's, shared by its tasks.
struct Services {
  std::string tee{};  // "snp", "simulated:snp"; empty: none
  // Evidence over report data of 64 bytes; empty: none can be had.
  std::function<Result<codec::json::Value>(ByteView report_data)> attest{};
  AddressList connect{}, listen{};       // where sockets may lead, and listen; empty: nowhere
  std::shared_ptr<Exchange> exchange{};  // empty: tasks do not reach each other
  StorageSettings storage{};
  // What the objects of encrypted tasks are sealed with, by way of a key for each module. Ends with the process.
  SecretBytes storage_secret = crypto::system_random().secret(32);
  const Clock* clock = &system_clock();
  crypto::RandomSource* random = &crypto::system_random();
};

struct Task {
  std::string id{};
  std::string module_digest{};      // "sha256:...", bound into evidence
  bool encrypted = false;           // what it stores is sealed, and it has no dealings with plain tasks
  std::uint64_t memory = 0;         // bytes that its guest may have
  std::filesystem::path storage{};  // hal_storage_path of its start; empty: a folder of its own while it runs
  std::stop_token stop{};
  std::optional<std::chrono::steady_clock::time_point> deadline{};
  std::optional<Duration> longest_wait{};  // of one call: an engine looks at a request's deadline between calls
};

class Interface;

// May be used from several threads: a task that serves HTTP has many instances.
class Hal {
 public:
  Hal(std::shared_ptr<const Services> services, Task task);
  Hal(const Hal&) = delete;
  Hal& operator=(const Hal&) = delete;
  ~Hal();

  // wasm::HostCall. Errors: hal.unknown_function, hal.bad_arguments, hal.stopped.
  Result<wasm::Value> call(std::string_view interface_name, std::string_view function,
                           std::span<const wasm::Value> arguments) const;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

// A call that keeps its Hal as long as it is kept itself.
wasm::HostCall host_call(std::shared_ptr<const Services> services, Task task);

// What a piece of evidence is bound to: SHA-512 of "elastic:hal/attestation@0.1.0", a zero byte, the module's digest, a
// zero byte and the caller's report data. It tells which code asked, and keeps a guest from having evidence made that a
// key broker would take for this worker's own: that is bound to a digest which the guest could otherwise hand in. A TEE
// with a shorter field takes the first bytes.
Bytes bound_report_data(ByteView report_data, std::string_view module_digest);

}  // namespace coffer::workload::hal
