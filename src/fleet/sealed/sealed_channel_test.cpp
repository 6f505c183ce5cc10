#include "fleet/sealed/sealed_channel.h"

#include <gtest/gtest.h>

#include <set>

#include "codec/base64.h"
#include "codec/json.h"
#include "fleet/sealed/held_messages.h"
#include "fleet/sealed/refusals.h"
#include "fleet/sealed/sealed_testing.h"

namespace coffer::fleet::sealed {
namespace {

using namespace testing;
using namespace std::chrono_literals;

// The sealed payload with one member of its envelope changed, or added.
std::string changed(const std::string& payload, std::string_view member, codec::json::Value value) {
  auto document = codec::json::parse(payload).value();
  document.if_object()->find("coffer_sealed")->if_object()->set(member, std::move(value));
  return codec::json::serialize(document);
}

TEST(SealedChannel, brings_a_payload_to_another_member) {
  Pair pair;
  const auto sealed = pair.seal("{\"id\":\"secret-task\"}");
  EXPECT_EQ(sealed.find("secret-task"), std::string::npos);
  const auto opened = pair.receiver.open(topic, sealed);
  ASSERT_TRUE(opened) << to_string(opened.error());
  EXPECT_EQ(opened->payload, "{\"id\":\"secret-task\"}");
  EXPECT_EQ(opened->sender, "sender");
  EXPECT_EQ(opened->sent_at, pair.clock.now());
  EXPECT_TRUE(pair.receiver.has_heard("sender"));
  EXPECT_FALSE(pair.receiver.has_heard("another"));
}

// Made by tests/e2e/sealed_peer.py's functions (Python's cryptography) from the same key, epoch and time: the format is
// what docs/group-keys.md says, and stays so.
TEST(SealedChannel, says_what_another_implementation_says) {
  CountingRandom random;
  FixedClock clock{parse_rfc3339("2026-01-01T00:00:00Z").value()};
  SealedChannel sender{{.own_id = "sender"}, clock, random};
  sender.set_keys(keys_with({key_one}));
  const auto sealed = sender.seal(topic, "hello");
  ASSERT_TRUE(sealed);
  EXPECT_EQ(
      *sealed,
      R"({"coffer_sealed":{"version":1,"key_id":"one","sender":"sender","topic":"m/t/c/ch/control/manager/start",)"
      R"("epoch":"AAECAwQFBgcICQoLDA0ODw","sequence":0,"sent_at":1767225600000,"ciphertext":"YsYlcy4WEEbwOmegVOZmhtWWuyIE"}})");
}

TEST(SealedChannel, refuses_what_is_not_sealed) {
  Pair pair;
  for (const auto* plain : {"", "{}", "null", "[1]", "\xFF", R"({"id":"t","name":"add"})", "{\"coffer\":{}}"}) {
    EXPECT_EQ(pair.outcome(plain), "sealed.not_sealed") << plain;
  }
}

TEST(SealedChannel, refuses_an_envelope_that_is_not_whole_or_has_more) {
  Pair pair;
  const auto good = pair.seal();
  EXPECT_EQ(pair.outcome(good.substr(0, good.size() / 2)), "sealed.bad_envelope");
  EXPECT_EQ(pair.outcome(R"({"coffer_sealed":[]})"), "sealed.bad_envelope");
  EXPECT_EQ(pair.outcome(R"({"id":"plain","coffer_sealed":{}})"), "sealed.bad_envelope");
  EXPECT_EQ(pair.outcome(changed(good, "more", 1)), "sealed.bad_envelope");
  const std::vector<std::pair<std::string, codec::json::Value>> broken{
      {"version", "1"},       {"version", nullptr},
      {"key_id", 1},          {"key_id", ""},
      {"sender", nullptr},    {"sender", "a\n"},
      {"topic", 5},           {"epoch", "AAEC"},
      {"epoch", 1},           {"epoch", "****"},
      {"sequence", -1},       {"sequence", 1.5},
      {"sequence", "0"},      {"sequence", std::uint64_t{1} << 53},
      {"sent_at", -1},        {"sent_at", "now"},
      {"ciphertext", "AAA="}, {"ciphertext", nullptr},
      {"ciphertext", "!"}};
  for (const auto& [member, value] : broken) {
    EXPECT_EQ(pair.outcome(changed(good, member, value)), "sealed.bad_envelope") << member;
  }
  EXPECT_EQ(pair.outcome(changed(good, "version", 2)), "sealed.unsupported_version");
  EXPECT_EQ(pair.outcome(good), "ok");
}

TEST(SealedChannel, refuses_what_was_changed_on_the_way) {
  Pair pair;
  pair.receiver.set_keys(keys_with({key_one, key_two}));
  const auto good = pair.seal();
  auto ciphertext =
      codec::base64_decode(*codec::json::parse(good)->at_pointer("/coffer_sealed/ciphertext")->if_string()).value();
  for (auto& byte : ciphertext) {
    byte ^= std::byte{1};
    EXPECT_EQ(pair.outcome(changed(good, "ciphertext", codec::base64_encode(ciphertext))), "sealed.bad_tag");
    byte ^= std::byte{1};
  }
  const std::vector<std::pair<std::string, codec::json::Value>> others{
      {"key_id", "two"},
      {"sender", "other"},
      {"epoch", "AAECAwQFBgcICQoLDA0ODw"},
      {"sequence", 1},
      {"sent_at", pair.clock.now().time_since_epoch().count() + 1}};
  for (const auto& [member, value] : others) {
    EXPECT_EQ(pair.outcome(changed(good, member, value)), "sealed.bad_tag") << member;
  }
  // The topic, too, is bound: saying another makes it no better.
  EXPECT_EQ(pair.outcome(changed(good, "topic", "elsewhere"), "elsewhere"), "sealed.bad_tag");
  EXPECT_EQ(pair.outcome(good), "ok");
}

TEST(SealedChannel, refuses_what_was_sealed_for_another_topic) {
  Pair pair;
  EXPECT_EQ(pair.outcome(pair.seal(), "m/t/c/ch/control/manager/stop"), "sealed.wrong_topic");
  EXPECT_EQ(pair.outcome(pair.seal(), "m/t/c/other/control/manager/start"), "sealed.wrong_topic");
}

TEST(SealedChannel, refuses_what_was_had) {
  Pair pair;
  const auto sealed = pair.seal();
  EXPECT_EQ(pair.outcome(sealed), "ok");
  EXPECT_EQ(pair.outcome(sealed), "sealed.replayed");
  EXPECT_EQ(pair.outcome(pair.seal()), "ok");
  EXPECT_EQ(pair.outcome(sealed), "sealed.replayed");
}

TEST(SealedChannel, takes_what_comes_out_of_order_and_refuses_what_lies_too_far_back) {
  Pair pair;
  std::vector<std::string> sealed;
  for (std::uint64_t i = 0; i <= ReplayWindow::width; ++i) sealed.push_back(pair.seal());
  EXPECT_EQ(pair.outcome(sealed.back()), "ok");
  EXPECT_EQ(pair.outcome(sealed[0]), "sealed.replayed");  // one too many lie between
  EXPECT_EQ(pair.outcome(sealed[1]), "ok");
  EXPECT_EQ(pair.outcome(sealed[500]), "ok");
  EXPECT_EQ(pair.outcome(sealed[499]), "ok");
  EXPECT_EQ(pair.outcome(sealed[500]), "sealed.replayed");
}

TEST(SealedChannel, refuses_what_is_too_old_or_to_come) {
  Pair pair;
  const auto start = pair.clock.now();
  const auto at = [&](Duration offset) {
    pair.clock.set(start + offset);
    auto sealed = pair.seal();
    pair.clock.set(start + 10min);
    return pair.outcome(sealed);
  };
  EXPECT_EQ(at(9min), "ok");
  EXPECT_EQ(at(9min - 1ms), "sealed.stale");
  EXPECT_EQ(at(11min), "ok");
  EXPECT_EQ(at(11min + 1ms), "sealed.from_the_future");
}

TEST(SealedChannel, refuses_what_was_sent_before_it_could_have_heard_it) {
  Pair pair;
  const auto early = pair.seal();
  pair.clock.advance(30s);
  const auto late = pair.seal();
  pair.clock.advance(1ms);
  pair.clock.advance(30s - 1ms);
  // A receiver that was started anew knows nothing of what came before.
  SealedChannel second({.own_id = "receiver", .max_age = 5min, .grace = 30s}, pair.clock);
  second.set_keys(keys_with({key_one}));
  EXPECT_EQ(second.open(topic, early).error().code, SealedError::stale);
  EXPECT_TRUE(second.open(topic, late));
}

TEST(SealedChannel, takes_results_that_the_broker_kept) {
  Pair pair({.own_id = "receiver", .lasting = [](std::string_view on) { return on == topic; }});
  const auto kept = pair.seal();
  pair.clock.advance(72h);
  EXPECT_EQ(pair.outcome(kept), "ok");
  EXPECT_EQ(pair.outcome(kept), "sealed.replayed");
  pair.clock.advance(-2h);
  const auto early = pair.sender.seal("m/t/c/ch/control/proplet/alive", "x").value();
  pair.clock.advance(2h);
  EXPECT_EQ(pair.outcome(early, "m/t/c/ch/control/proplet/alive"), "sealed.stale");
}

TEST(SealedChannel, without_keys_seals_and_opens_nothing) {
  Pair pair;
  const auto sealed = pair.seal();
  pair.receiver.set_keys(std::nullopt);
  pair.sender.set_keys(std::nullopt);
  EXPECT_EQ(pair.outcome(sealed), "sealed.no_key");
  EXPECT_EQ(pair.sender.seal(topic, "x").error().code, SealedError::no_key);
  EXPECT_FALSE(pair.sender.ready());
  pair.sender.set_keys(keys_of(
      R"({"keys":[{"id":"a","secret":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA","active_at":"2026-06-01T00:00:00Z"}]})"));
  EXPECT_EQ(pair.sender.seal(topic, "x").error().code, SealedError::no_key);
  EXPECT_FALSE(pair.sender.ready());
}

TEST(SealedChannel, remembers_what_was_had_while_its_keys_are_away) {
  Pair pair;
  const auto sealed = pair.seal();
  EXPECT_EQ(pair.outcome(sealed), "ok");
  pair.receiver.set_keys(std::nullopt);
  pair.receiver.set_keys(keys_with({key_one}));
  EXPECT_EQ(pair.outcome(sealed), "sealed.replayed");
}

TEST(SealedChannel, goes_over_to_the_next_key_without_a_loss) {
  Pair pair;
  const auto before = pair.seal();
  pair.sender.set_keys(keys_with({key_two, key_one}));
  const auto after = pair.seal();
  EXPECT_EQ(pair.outcome(after), "sealed.unknown_key");
  EXPECT_FALSE(pair.receiver.has_key("two"));
  pair.receiver.set_keys(keys_with({key_two, key_one}));
  EXPECT_TRUE(pair.receiver.has_key("two"));
  EXPECT_EQ(pair.outcome(after), "ok");
  EXPECT_EQ(pair.outcome(before), "ok");
  pair.receiver.set_keys(keys_with({key_two}));
  EXPECT_EQ(pair.outcome(before), "sealed.unknown_key");
}

TEST(SealedChannel, never_seals_two_payloads_under_one_key_and_nonce) {
  FixedClock clock{parse_rfc3339("2026-01-01T00:00:00Z").value()};
  SealedChannel first({.own_id = "sender", .messages_an_epoch = 3}, clock), again({.own_id = "sender"}, clock);
  std::set<std::string> seen;
  int sealed = 0;
  for (auto* channel : {&first, &again}) {
    channel->set_keys(keys_with({key_one}));
    for (int i = 0; i < 200; ++i) {
      // More topics than streams are kept, and the keys go and come back.
      const auto on = "fl/rounds/" + std::to_string(i % 70) + "/updates/x";
      if (i == 150) channel->set_keys(keys_with({key_two, key_one}));
      if (i == 170) {
        channel->set_keys(std::nullopt);
        channel->set_keys(keys_with({key_one}));
      }
      const auto envelope = parse_envelope(channel->seal(on, "x").value()).value();
      const auto key = stream_key(SecretBytes::copy_of(envelope.key_id), envelope).value();
      seen.insert(to_text(key.expose()) + to_text(nonce_of(envelope)));
      ++sealed;
    }
  }
  EXPECT_EQ(seen.size(), static_cast<std::size_t>(sealed));
}

TEST(SealedChannel, begins_a_new_epoch_after_so_many_payloads) {
  FixedClock clock{parse_rfc3339("2026-01-01T00:00:00Z").value()};
  SealedChannel sender({.own_id = "sender", .messages_an_epoch = 2}, clock);
  sender.set_keys(keys_with({key_one}));
  std::vector<std::pair<std::string, std::uint64_t>> said;
  for (int i = 0; i < 4; ++i) {
    const auto envelope = parse_envelope(sender.seal(topic, "x").value()).value();
    said.emplace_back(to_text(envelope.epoch), envelope.sequence);
  }
  EXPECT_EQ(said[0].first, said[1].first);
  EXPECT_NE(said[1].first, said[2].first);
  EXPECT_EQ(said[1].second, 1U);
  EXPECT_EQ(said[2].second, 0U);
}

TEST(SealedChannel, keeps_a_bound_on_the_streams_that_it_remembers) {
  Pair pair({.own_id = "receiver", .max_streams = 8});
  std::string last;
  for (int i = 0; i < 100; ++i) {
    SealedChannel sender({.own_id = "sender-" + std::to_string(i)}, pair.clock);
    sender.set_keys(keys_with({key_one}));
    last = sender.seal(topic, "x").value();
    EXPECT_EQ(pair.outcome(last), "ok");
    EXPECT_EQ(pair.outcome(last), "sealed.replayed") << i;
    pair.clock.advance(1s);
  }
}

TEST(Refusals, are_counted_each_and_logged_once_a_second_of_a_kind) {
  std::map<std::string, int> counted;
  Refusals refusals("fleet.payload_refused", [&](std::string_view code) { ++counted[std::string{code}]; });
  const Error stale{SealedError::stale, "old"}, plain{SealedError::not_sealed, "plain"};
  const Refusals::Instant start{1h};
  EXPECT_TRUE(refusals.note(stale, topic, start));
  EXPECT_FALSE(refusals.note(stale, topic, start + 999ms));
  EXPECT_TRUE(refusals.note(plain, topic, start + 999ms));
  EXPECT_TRUE(refusals.note(stale, topic, start + 1s));
  EXPECT_EQ(counted, (std::map<std::string, int>{{"sealed.stale", 3}, {"sealed.not_sealed", 1}}));
}

TEST(HeldMessages, are_kept_in_their_order_and_within_their_bounds) {
  HeldMessages held(2, 10);
  EXPECT_TRUE(held.hold({"a", "12345678"}));
  EXPECT_FALSE(held.hold({"b", "123"}));
  EXPECT_TRUE(held.hold({"b", "12"}));
  EXPECT_FALSE(held.hold({"c", ""}));
  const auto taken = held.take();
  ASSERT_EQ(taken.size(), 2U);
  EXPECT_EQ(taken[1].topic, "b");
  EXPECT_TRUE(held.take().empty());
  EXPECT_TRUE(held.hold({"c", "1234567890"}));
}

}  // namespace
}  // namespace coffer::fleet::sealed
