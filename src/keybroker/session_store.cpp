#include "keybroker/session_store.h"

#include "keybroker/refusal.h"

namespace coffer::keybroker {
namespace {

constexpr std::string_view space = "kbs_protocol_session";
constexpr std::size_t page = 500;

Error storage_trouble(const Error& cause) {
  return because(BrokerError::storage_failed, "the session store failed", cause);
}

}  // namespace

Result<Session> SessionStore::find(const SessionId& id) const {
  const auto stored = store_->get(space, id.text());
  if (!stored) return fail(storage_trouble(stored.error()));
  if (!*stored) return fail(BrokerError::session_unknown, "there is no such session; begin a new handshake");
  auto session = Session::parse(as_text(**stored));
  if (!session) return fail(storage_trouble(session.error()));
  return session;
}

Result<> SessionStore::insert(const Session& session) {
  if (living_->load() >= most_) {
    return fail(BrokerError::too_many_sessions,
                std::to_string(most_) + " sessions are open, which is the limit; try again in a minute");
  }
  const auto put = store_->put_if(space, session.id().text(), std::nullopt, as_bytes(session.serialize()));
  if (!put) return fail(storage_trouble(put.error()));
  living_->fetch_add(1);
  return {};
}

Result<> SessionStore::replace(const Session& before, const Session& after) {
  const auto put =
      store_->put_if(space, after.id().text(), as_bytes(before.stored_text()), as_bytes(after.serialize()));
  if (put) return {};
  if (put.error().code == ErrorCode{storage::StorageError::conflict}) {
    return fail(BrokerError::nonce_mismatch, "the nonce of this session was already spent; begin a new handshake");
  }
  return fail(storage_trouble(put.error()));
}

Result<> SessionStore::erase(const SessionId& id) {
  const auto erased = store_->erase(space, id.text());
  if (!erased) return fail(storage_trouble(erased.error()));
  return {};
}

Result<std::size_t> SessionStore::sweep(TimePoint now) {
  std::size_t removed = 0;
  std::size_t living = 0;
  std::string last;
  while (true) {
    const auto keys = TRY(store_->list(space, {}, last, page));
    for (const auto& key : keys) {
      const auto stored = TRY(store_->get(space, key));
      if (!stored) continue;
      const auto session = Session::parse(as_text(*stored));
      if (session && !session->expired(now)) {
        ++living;
      } else if (TRY(store_->erase(space, key))) {
        ++removed;
      }
    }
    if (keys.size() < page) break;
    last = keys.back();
  }
  living_->store(living);
  return removed;
}

}  // namespace coffer::keybroker
