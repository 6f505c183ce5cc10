// Sessions in the key-value store, so that any replica can go on with a handshake that another began.
#pragma once

#include <memory>

#include "keybroker/session.h"
#include "storage/key_value_store.h"

namespace coffer::keybroker {

class SessionStore {
 public:
  explicit SessionStore(std::shared_ptr<storage::KeyValueStore> store) : store_(std::move(store)) {}

  // session_unknown where there is none of this id.
  Result<Session> find(const SessionId& id) const;
  Result<> insert(const Session& session);
  // Atomic; nonce_mismatch where the stored session is no longer `before` (a concurrent attestation won).
  Result<> replace(const Session& before, const Session& after);
  Result<> erase(const SessionId& id);
  // Removes what has expired, and what nobody can read any more; how many.
  Result<std::size_t> sweep(TimePoint now);

 private:
  std::shared_ptr<storage::KeyValueStore> store_;
};

}  // namespace coffer::keybroker
