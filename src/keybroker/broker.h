// The key broker: upstream's HTTP API over one store. `handle` is a plain function of a request, so that a server, the
// command line and tests drive the same object.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "crypto/random.h"
#include "keybroker/config.h"
#include "net/http_server.h"
#include "storage/key_value_store.h"

namespace coffer::appraisal {
class AttestationService;
}

namespace coffer::keybroker {

// What a test or an embedding program puts in place of the usual.
struct Dependencies {
  const Clock* clock = nullptr;                                          // none: the system's
  crypto::RandomSource* random = nullptr;                                // none: the system's
  std::shared_ptr<storage::KeyValueStore> store{};                       // none: what the configuration says
  std::shared_ptr<appraisal::AttestationService> attestation_service{};  // none: what the configuration says
};

// Seed 000's two modes, and the broker that has neither a way to attest nor anyone to believe.
enum class Mode { background_check, passport, no_trust_anchor };
std::string_view name_of(Mode mode);  // "background-check", "passport", "no-trust-anchor"

class Broker {
 public:
  // Opens the store, loads keys and policies. Logs the mode, and every notice of the configuration, once.
  static Result<std::unique_ptr<Broker>> create(Config config, const Dependencies& dependencies = {});
  ~Broker();

  // Safe to call from any number of threads. Never throws.
  net::ServerResponse handle(const net::ServerRequest& request);

  Mode mode() const;
  const Config& config() const;

  // Removes expired sessions and audit records beyond their retention; how many. A server calls it every minute.
  Result<std::size_t> sweep();

 private:
  struct Impl;
  explicit Broker(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace coffer::keybroker
