// One RCAR session as a value: Authed (challenge sent) then Attested (token issued). No socket, no clock, no store.
#pragma once

#include <optional>
#include <string>

#include "base/clock.h"
#include "crypto/random.h"
#include "keybroker/error.h"
#include "keyclient/protocol.h"
#include "net/http.h"

namespace coffer::keybroker {

// A version 4 UUID as 32 hexadecimal digits without dashes: the cookie's value and the store's key.
class SessionId {
 public:
  static SessionId generate(crypto::RandomSource& random);
  // BrokerError::session_unknown for any other text: no session can have it.
  static Result<SessionId> parse(std::string_view text);
  const std::string& text() const { return text_; }

 private:
  explicit SessionId(std::string text) : text_(std::move(text)) {}
  std::string text_;
};

class Session {
 public:
  // `expires` is cut to whole seconds, which is what the stored shape carries.
  static Session open(SessionId id, keyclient::Request request, keyclient::Challenge challenge, TimePoint expires);
  // The stored shape, which a Trustee replica on the same store reads too (trustee.md 1.4):
  // {"Authed":{"request","challenge","id","timeout"}} or {"Attested":{"token","id","timeout"}}.
  static Result<Session> parse(std::string_view text);
  std::string serialize() const;
  // The text that parse() read, byte for byte: what an atomic replacement compares with.
  const std::string& stored_text() const { return stored_text_; }

  const SessionId& id() const { return id_; }
  TimePoint expires() const { return expires_; }
  bool expired(TimePoint now) const { return now >= expires_; }
  bool attested() const { return token_.has_value(); }
  // NOLINTBEGIN(bugprone-unchecked-optional-access): the caller asked attested().
  const std::string& token() const { return *token_; }             // of an attested session
  const keyclient::Request& request() const { return *request_; }  // of one that is not yet
  // NOLINTEND(bugprone-unchecked-optional-access)

  // May an attestation with this nonce proceed? session_expired; nonce_mismatch where the nonce is another's, or this
  // session's was spent already (upstream would answer with the old token and verify nothing).
  Result<> accept(std::string_view nonce, TimePoint now) const;
  // The nonce is spent, the lifetime stays.
  Session attest(std::string token) const;

 private:
  Session(SessionId id, TimePoint expires) : id_(std::move(id)), expires_(expires) {}
  SessionId id_;
  TimePoint expires_;
  std::optional<keyclient::Request> request_{};
  std::optional<keyclient::Challenge> challenge_{};
  std::optional<std::string> token_{};
  std::string stored_text_{};
};

// "kbs-session-id=<id>; Expires=<HTTP date>; Max-Age=<seconds>; Path=/kbs/v0; HttpOnly". Max-Age is for clients whose
// clock is wrong; the path is the one that RFC 6265 would derive from upstream's cookie.
std::string set_cookie(const Session& session, TimePoint now);

// The session cookie of a request, or nothing.
std::optional<std::string> session_cookie(const net::Headers& headers);

}  // namespace coffer::keybroker
