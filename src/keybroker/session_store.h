// Sessions in the key-value store, so that any replica can go on with a handshake that another began.
#pragma once

#include <atomic>
#include <memory>

#include "keybroker/session.h"
#include "storage/key_value_store.h"

namespace coffer::keybroker {

// Anyone may open a session, so their number is bounded, as is what one of them stores (max_request in handshake.cpp).
// Five minutes of handshakes at 1,300 a second stay below it.
inline constexpr std::size_t max_sessions = 500'000;

// Copies share one count.
class SessionStore {
 public:
  explicit SessionStore(std::shared_ptr<storage::KeyValueStore> store, std::size_t most = max_sessions)
      : store_(std::move(store)), most_(most) {}

  // session_unknown where there is none of this id.
  Result<Session> find(const SessionId& id) const;
  // too_many_sessions beyond `most`: those opened here since the last sweep and those it found living.
  Result<> insert(const Session& session);
  // Atomic; nonce_mismatch where the stored session is no longer `before` (a concurrent attestation won).
  Result<> replace(const Session& before, const Session& after);
  Result<> erase(const SessionId& id);
  // Removes what has expired, and what nobody can read any more; how many.
  Result<std::size_t> sweep(TimePoint now);

 private:
  std::shared_ptr<storage::KeyValueStore> store_;
  std::size_t most_;
  std::shared_ptr<std::atomic<std::size_t>> living_ = std::make_shared<std::atomic<std::size_t>>(0);
};

}  // namespace coffer::keybroker
