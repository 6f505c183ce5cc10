// Modules of encrypted images, opened and compiled, kept in memory for the next start of the same: it needs no key and
// no download then. Only where the operator allows it: the broker hears nothing of such a start, and a policy that has
// changed holds for it when the kept module has reached its age. What is kept was released to this worker under one
// attestation token and goes with it.
#pragma once

#include <condition_variable>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "base/clock.h"
#include "base/secret_bytes.h"
#include "fleet/worker/config.h"
#include "keyclient/kbs_client.h"
#include "wasm/module.h"

namespace coffer::fleet::worker {

struct OpenedModule {
  SecretBytes module{};  // in locked memory, as far as the system lets it be locked
  wasm::Module compiled;
  bool metered = false;
};

class ModuleCache {
 public:
  using Token = std::shared_ptr<const keyclient::AttestedToken>;
  using Opened = std::shared_ptr<const OpenedModule>;
  using Instant = std::chrono::steady_clock::time_point;

  explicit ModuleCache(ModuleCacheLimits limits);
  // Forgets everything.
  ~ModuleCache();

  bool enabled() const { return limits_.age > Duration{0}; }
  // Nothing where it is not there, too old, or was opened under another token than this one, which still lives.
  // `broker` is who released it, `name` the image with all that was asked of it.
  Opened find(const std::string& broker, const std::string& name, const Token& token);
  // Makes room by forgetting what was not used for the longest time. A module over the bound is not kept.
  void insert(const std::string& broker, const std::string& name, const Token& token, Opened module);

  struct Usage {
    std::size_t modules = 0, bytes = 0;
  };
  Usage usage() const;
  // Forgets what has reached its end by `now`.
  void drop_old(Instant now = std::chrono::steady_clock::now());

 private:
  struct Entry {
    std::string broker, name;
    Token token;
    Instant until;
    Opened module;
  };
  void drop_others(const std::string& broker, const Token& token);
  void drop_until(Instant now);
  std::optional<Instant> next_end() const;
  void sweep(const std::stop_token& stop);

  const ModuleCacheLimits limits_;
  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  std::list<Entry> entries_;  // used last first
  std::size_t bytes_ = 0;
  std::jthread sweeper_;  // last: uses all the rest
};

}  // namespace coffer::fleet::worker
