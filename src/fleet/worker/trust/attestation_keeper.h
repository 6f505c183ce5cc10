// Keeps a live attestation token of this worker's broker, for the manager to see. A thread of its own, because a
// handshake takes its time and heartbeats must not wait for it.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

#include "fleet/attested_key.h"
#include "fleet/capabilities.h"
#include "fleet/worker/trust/tee_access.h"
#include "net/trace.h"

namespace coffer::fleet::worker {

class AttestationKeeper {
 public:
  struct Attempt {
    Duration took;
    std::string_view outcome;            // "ok", or the error's code
    std::optional<TimePoint> expires{};  // of the token that it brought
  };
  struct Observers {
    std::function<void()> changed{};
    std::function<void(const Attempt&)> attempted{};
    const net::Tracer* tracer = nullptr;  // outlives the object
  };
  // `tee` outlives the object.
  AttestationKeeper(TeeAccess& tee, std::string own_id, Observers observers);
  ~AttestationKeeper();
  // Attests from now on; does nothing where encrypted work is refused.
  void start();

  // Null while there is none.
  std::shared_ptr<const keyclient::AttestedToken> live_token(TimePoint now) const;
  // The token with a proof of this moment; nothing while there is none that lives.
  std::optional<Capabilities::Attestation> current(TimePoint now) const;
  // The statement with the token's digest added, signed by the key that the token names; empty while there is none.
  std::string sign(ResultStatement statement) const;

 private:
  void keep(const std::stop_token& stop);
  // How long until the next look.
  Duration refresh();
  void set(const std::shared_ptr<const keyclient::AttestedToken>& token);

  TeeAccess& tee_;
  std::string own_id_;
  Observers observers_;
  mutable std::mutex mutex_;
  std::condition_variable_any wake_;
  std::shared_ptr<const keyclient::AttestedToken> token_;
  Duration pause_ = std::chrono::seconds{1};
  std::jthread thread_;
};

}  // namespace coffer::fleet::worker
