#include "keybroker/session_store.h"

#include "keybroker/refusal.h"
#include "keybroker/sweep.h"

namespace coffer::keybroker {
namespace {

constexpr std::string_view space = "kbs_protocol_session";

Error storage_trouble(const Error& cause) {
  return because(BrokerError::storage_failed, "the session store failed", cause);
}

}  // namespace

Result<Session> SessionStore::find(const SessionId& id) const {
  const auto stored = store_->get(space, id.text());
  if (!stored) return fail(storage_trouble(stored.error()));
  const auto& text = *stored;
  if (!text) return fail(BrokerError::session_unknown, "there is no such session; begin a new handshake");
  auto session = Session::parse(as_text(*text));
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
  const auto swept = TRY(sweep_space(*store_, space, [&](std::string_view stored) {
    const auto session = Session::parse(stored);
    return session && !session->expired(now);
  }));
  living_->store(swept.kept);
  return swept.removed;
}

}  // namespace coffer::keybroker
