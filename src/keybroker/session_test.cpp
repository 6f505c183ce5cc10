#include "keybroker/session.h"

#include <gtest/gtest.h>

#include "keybroker/refusal.h"
#include "keybroker/route.h"
#include "keybroker/session_store.h"

namespace coffer::keybroker {
namespace {

constexpr TimePoint now{std::chrono::milliseconds{1767323045123}};

Session open_session() {
  return Session::open(SessionId::generate(crypto::system_random()), {.tee = "sample"}, {.nonce = "nonce"},
                       now + std::chrono::minutes{5});
}

TEST(SessionId, is_a_version_4_uuid_without_dashes) {
  const auto id = SessionId::generate(crypto::system_random());
  EXPECT_EQ(id.text().size(), 32U);
  EXPECT_EQ(id.text()[12], '4');
  EXPECT_NE(std::string_view{"89ab"}.find(id.text()[16]), std::string_view::npos);
  EXPECT_TRUE(SessionId::parse(id.text()));
}

TEST(Session, accepts_its_own_nonce_once) {
  const auto session = open_session();
  EXPECT_TRUE(session.accept("nonce", now));
  EXPECT_EQ(session.accept("other", now).error().code, ErrorCode{BrokerError::nonce_mismatch});
  EXPECT_EQ(session.accept("", now).error().code, ErrorCode{BrokerError::nonce_mismatch});
  EXPECT_EQ(session.attest("token").accept("nonce", now).error().code, ErrorCode{BrokerError::nonce_mismatch});
  EXPECT_EQ(session.accept("nonce", now + std::chrono::minutes{5}).error().code,
            ErrorCode{BrokerError::session_expired});
}

TEST(Session, round_trips_through_its_stored_shape) {
  for (const auto& session : {open_session(), open_session().attest("a.b.c")}) {
    const auto parsed = Session::parse(session.serialize());
    ASSERT_TRUE(parsed) << to_string(parsed.error());
    EXPECT_EQ(parsed->serialize(), session.serialize());
    EXPECT_EQ(parsed->attested(), session.attested());
    EXPECT_EQ(parsed->expires(), session.expires());
  }
}

TEST(Session, reads_a_session_that_trustee_stored_with_fractions_of_seconds) {
  constexpr std::string_view text =
      R"({"Attested":{"token":"a.b.c","id":"0123456789abcdef0123456789abcdef","timeout":"2026-01-02T03:04:05.678901234Z"}})";
  const auto session = Session::parse(text);
  ASSERT_TRUE(session) << to_string(session.error());
  EXPECT_EQ(session->token(), "a.b.c");
  EXPECT_EQ(session->stored_text(), text);
}

TEST(Session, refuses_other_stored_shapes) {
  for (const auto* text : {"", "{}", R"({"Authed":{}})", R"({"Attested":{"id":"0123456789abcdef0123456789abcdef"}})"}) {
    EXPECT_FALSE(Session::parse(text)) << text;
  }
}

TEST(SessionStore, lets_one_of_two_concurrent_attestations_win) {
  SessionStore store{storage::make_memory_store()};
  const auto session = open_session();
  ASSERT_TRUE(store.insert(session));
  const auto first = store.find(session.id());
  const auto second = store.find(session.id());
  ASSERT_TRUE(store.replace(*first, first->attest("one")));
  EXPECT_EQ(store.replace(*second, second->attest("two")).error().code, ErrorCode{BrokerError::nonce_mismatch});
  EXPECT_EQ(store.find(session.id())->token(), "one");
}

TEST(SessionStore, holds_so_many_sessions_and_takes_new_ones_when_old_ones_have_ended) {
  SessionStore store{storage::make_memory_store(), 2};
  ASSERT_TRUE(store.insert(open_session()));
  SessionStore copy = store;
  ASSERT_TRUE(copy.insert(open_session()));
  EXPECT_EQ(store.insert(open_session()).error().code, ErrorCode{BrokerError::too_many_sessions});
  ASSERT_EQ(*store.sweep(now), 0U);
  EXPECT_EQ(store.insert(open_session()).error().code, ErrorCode{BrokerError::too_many_sessions});
  ASSERT_EQ(*store.sweep(now + std::chrono::minutes{6}), 2U);
  EXPECT_TRUE(store.insert(open_session()));
}

TEST(SessionCookie, is_found_among_others) {
  EXPECT_EQ(session_cookie({{"Cookie", "a=1; kbs-session-id=xyz; b=2"}}), "xyz");
  EXPECT_EQ(session_cookie({{"Cookie", "a=1"}, {"Cookie", "kbs-session-id=xyz"}}), "xyz");
  EXPECT_EQ(session_cookie({{"Cookie", "my-kbs-session-id=xyz"}}), std::nullopt);
  EXPECT_EQ(session_cookie({{"Cookie", ";;;"}}), std::nullopt);
  EXPECT_EQ(session_cookie({}), std::nullopt);
}

Result<Route> route(std::string_view path, std::string_view query = {}) {
  net::ServerRequest request;
  request.path = path;
  request.query = query;
  return parse_route(request);
}

TEST(Route, splits_the_path_and_keeps_the_last_of_repeated_parameters) {
  const auto parsed = route("/kbs/v0/resource/a/b/c", "x=1&x=2");
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->endpoint(), "resource");
  EXPECT_EQ(parsed->rest(), "a/b/c");
  EXPECT_EQ(parsed->query.at("x"), "2");
  EXPECT_EQ(parsed->path_and_query, "/kbs/v0/resource/a/b/c?x=1&x=2");
}

TEST(Route, counts_slashes_in_a_row_as_one) {
  EXPECT_EQ(route("//kbs//v0///auth/")->path_and_query, "/kbs/v0/auth");
}

TEST(Route, refuses_other_prefixes_and_dot_segments) {
  for (const auto* path :
       {"", "/", "/kbs", "/kbs/v0", "/kbs/v0/", "/kbs/v1/auth", "/kbs/v0/resource/../resource-policy", "/kbs/v0/."}) {
    const auto parsed = route(path);
    ASSERT_FALSE(parsed) << path;
    EXPECT_EQ(parsed.error().code, ErrorCode{BrokerError::invalid_path});
  }
}

TEST(Route, refuses_a_query_that_does_not_decode) {
  EXPECT_EQ(route("/kbs/v0/auth", "x=%zz").error().code, ErrorCode{BrokerError::bad_request});
}

}  // namespace
}  // namespace coffer::keybroker
