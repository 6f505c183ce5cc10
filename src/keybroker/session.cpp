#include "keybroker/session.h"

#include <algorithm>

#include "codec/base64.h"
#include "codec/json.h"

namespace coffer::keybroker {
namespace {

namespace json = codec::json;

bool is_lower_hex(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

std::string_view trim(std::string_view text) {
  const auto begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

std::optional<std::string> cookie_in(std::string_view header) {
  while (!header.empty()) {
    const auto end = std::min(header.find(';'), header.size());
    const auto pair = trim(header.substr(0, end));
    const auto equals = pair.find('=');
    if (equals != std::string_view::npos && pair.substr(0, equals) == keyclient::session_cookie_name) {
      return std::string{pair.substr(equals + 1)};
    }
    header.remove_prefix(std::min(end + 1, header.size()));
  }
  return std::nullopt;
}

}  // namespace

SessionId SessionId::generate(crypto::RandomSource& random) {
  Bytes bytes = random.bytes(16);
  bytes[6] = (bytes[6] & std::byte{0x0f}) | std::byte{0x40};  // RFC 9562 section 5.4: version
  bytes[8] = (bytes[8] & std::byte{0x3f}) | std::byte{0x80};  // and variant
  return SessionId{codec::hex_encode(bytes)};
}

Result<SessionId> SessionId::parse(std::string_view text) {
  if (text.size() != 32 || !std::ranges::all_of(text, is_lower_hex)) {
    return fail(BrokerError::session_unknown, "the session id is not 32 hexadecimal digits");
  }
  return SessionId{std::string{text}};
}

Session Session::open(SessionId id, keyclient::Request request, keyclient::Challenge challenge, TimePoint expires) {
  Session session{std::move(id), std::chrono::floor<std::chrono::seconds>(expires)};
  session.request_ = std::move(request);
  session.challenge_ = std::move(challenge);
  return session;
}

Result<Session> Session::parse(std::string_view text) {
  const auto document = TRY(json::parse(text));
  const auto* authed = document.find("Authed");
  const auto* body = authed != nullptr ? authed : document.find("Attested");
  const json::Object* object = body != nullptr ? body->if_object() : nullptr;
  if (object == nullptr) return fail(BrokerError::storage_failed, "a stored session is neither Authed nor Attested");
  auto id = TRY(SessionId::parse(TRY(json::string_member(*object, "id", "session"))));
  Session session {
    std::move(id), TRY(parse_rfc3339(TRY(json::string_member(*object, "timeout", "session"))))
  };
  session.stored_text_ = text;
  if (authed == nullptr) {
    session.token_ = std::string {
      TRY(json::string_member(*object, "token", "session"))
    };
    return session;
  }
  session.request_ =
      TRY(keyclient::Request::from_json(json::Value { *TRY(json::object_member(*object, "request", "session")) }));
  session.challenge_ =
      TRY(keyclient::Challenge::from_json(json::Value { *TRY(json::object_member(*object, "challenge", "session")) }));
  return session;
}

std::string Session::serialize() const {
  json::Object body;
  if (request_) body.set("request", request_->to_json());
  if (challenge_) body.set("challenge", challenge_->to_json());
  if (token_) body.set("token", *token_);
  body.set("id", id_.text());
  body.set("timeout", format_rfc3339(expires_));
  return json::serialize(json::Object{{attested() ? "Attested" : "Authed", std::move(body)}});
}

Result<> Session::accept(std::string_view nonce, TimePoint now) const {
  if (expired(now)) {
    return fail(BrokerError::session_expired, "the session expired at " + format_rfc3339(expires_) + ", it is now " +
                                                  format_rfc3339(now) + "; begin a new handshake");
  }
  if (attested()) {
    return fail(BrokerError::nonce_mismatch, "the nonce of this session was already spent; begin a new handshake");
  }
  if (!challenge_ || challenge_->nonce != nonce) {
    return fail(BrokerError::nonce_mismatch, "the nonce is not the one of this session's challenge");
  }
  return {};
}

Session Session::attest(std::string token) const {
  Session next{id_, expires_};
  next.token_ = std::move(token);
  return next;
}

std::string set_cookie(const Session& session, TimePoint now) {
  const auto left = std::chrono::duration_cast<std::chrono::seconds>(session.expires() - now).count();
  return std::string{keyclient::session_cookie_name} + "=" + session.id().text() +
         "; Expires=" + format_http_date(session.expires()) + "; Max-Age=" + std::to_string(std::max<long>(left, 0)) +
         "; Path=" + std::string{keyclient::path_prefix} + "; HttpOnly";
}

std::optional<std::string> session_cookie(const net::Headers& headers) {
  for (const auto header : headers.get_all("Cookie")) {
    if (auto value = cookie_in(header)) return value;
  }
  return std::nullopt;
}

}  // namespace coffer::keybroker
