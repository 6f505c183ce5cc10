#include "fleet/sealed/group_keys.h"

#include <gtest/gtest.h>

#include <set>

#include "fleet/sealed/sealed_testing.h"

namespace coffer::fleet::sealed {
namespace {

using namespace testing;
using namespace std::chrono_literals;

const TimePoint now = parse_rfc3339("2026-01-02T03:04:05Z").value();

std::string text_of(const GroupKeys& keys) {
  return to_text(keys.document().expose());
}

TEST(GroupKeys, are_written_and_read_again_as_the_same) {
  CountingRandom random;
  auto keys = GroupKeys::create(now, random);
  keys.rotate(now, now + 15min, random);
  EXPECT_EQ(text_of(keys),
            R"({"keys":[{"id":"20260102T030405Z-24252627","secret":"KCkqKywtLi8wMTIzNDU2Nzg5Ojs8PT4_QEFCQ0RFRkc",)"
            R"("active_at":"2026-01-02T03:19:05Z"},{"id":"20260102T030405Z-00010203","secret":)"
            R"("BAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyAhIiM"}]})");
  EXPECT_EQ(text_of(keys_of(text_of(keys))), text_of(keys));
}

TEST(GroupKeys, seal_with_the_newest_that_is_in_force) {
  auto keys = GroupKeys::create(now);
  const auto first = keys.all()[0].id;
  keys.rotate(now, now + 15min);
  const auto second = keys.all()[0].id;
  EXPECT_EQ(keys.sending(now)->id, first);
  EXPECT_EQ(keys.sending(now + 15min - 1ms)->id, first);
  EXPECT_EQ(keys.sending(now + 15min)->id, second);
  EXPECT_NE(keys.find(first), nullptr);
  EXPECT_EQ(keys.find("another"), nullptr);
}

TEST(GroupKeys, keep_the_one_before_until_the_next_rotation) {
  auto keys = GroupKeys::create(now);
  const auto first = keys.all()[0].id;
  keys.rotate(now, now + 15min);
  const auto second = keys.all()[0].id;
  keys.rotate(now + 1h, now + 2h);
  ASSERT_EQ(keys.all().size(), 2U);
  EXPECT_EQ(keys.all()[1].id, second);
  EXPECT_EQ(keys.find(first), nullptr);
}

TEST(GroupKeys, that_are_rotated_before_the_last_one_came_to_seal_stay_within_their_number) {
  auto keys = GroupKeys::create(now);
  const auto first = keys.all()[0].id;
  for (int i = 0; i < 40; ++i) keys.rotate(now, now + 15min);
  EXPECT_EQ(keys.all().size(), GroupKeys::max_keys);
  EXPECT_EQ(keys.sending(now)->id, first);
  EXPECT_TRUE(GroupKeys::parse(keys.document().expose()));
}

TEST(GroupKeys, seal_nothing_while_none_is_in_force) {
  const auto keys = keys_of(
      R"({"keys":[{"id":"a","secret":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA","active_at":"2026-01-02T04:00:00Z"}]})");
  EXPECT_EQ(keys.sending(now), nullptr);
}

TEST(GroupKeys, refuse_a_list_that_is_none_and_say_no_secret) {
  const std::string good = R"("secret":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")";
  const auto list = [](const std::string& key) { return "{\"keys\":[" + key + "]}"; };
  std::string seventeen;
  for (int i = 0; i < 17; ++i) seventeen += (i ? "," : "") + ("{\"id\":\"k" + std::to_string(i) + "\"," + good + "}");
  for (const auto& [text, says] : std::vector<std::pair<std::string, std::string>>{
           {"", "expected JSON"},
           {"{\"keys\":{}}", "1 to 16 keys"},
           {"[]", "1 to 16 keys"},
           {list(""), "1 to 16 keys"},
           {list(seventeen), "1 to 16 keys"},
           {list("1"), "keys[0]: expected an object"},
           {list("{" + good + "}"), "keys[0].id"},
           {list("{\"id\":\"a b\"," + good + "}"), "keys[0].id"},
           {list("{\"id\":\"\"," + good + "}"), "keys[0].id"},
           {list("{\"id\":\"" + std::string(65, 'a') + "\"," + good + "}"), "keys[0].id"},
           {list(R"({"id":"a"})"), "keys[0].secret"},
           {list(R"({"id":"a","secret":7})"), "keys[0].secret"},
           {list(R"({"id":"a","secret":"c2VjcmV0LXdvcmRz"})"), "32 bytes"},
           {list(R"({"id":"a","secret":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="})"), "32 bytes"},
           {list("{\"id\":\"a\"," + good + R"(,"active_at":"tomorrow"})"), "active_at"},
           {list("{\"id\":\"a\"," + good + R"(,"active_at":1})"), "active_at"},
           {list("{\"id\":\"a\"," + good + R"(,"active_at":"0000-01-01T00:00:00+23:00"})"), "active_at"},
           {list("{\"id\":\"a\"," + good + "},{\"id\":\"a\"," + good + "}"), "twice"}}) {
    const auto keys = GroupKeys::parse(as_bytes(text));
    ASSERT_FALSE(keys) << text;
    EXPECT_EQ(keys.error().code, SealedError::bad_key_list);
    EXPECT_NE(keys.error().message.find(says), std::string::npos) << keys.error().message;
    EXPECT_EQ(keys.error().message.find("c2Vj"), std::string::npos);
  }
}

TEST(SealedErrors, have_distinct_stable_names) {
  std::set<std::string_view> names;
  for (auto code = 0; code <= static_cast<int>(SealedError::unreadable_key_file); ++code) {
    const auto name = code_name(static_cast<SealedError>(code));
    EXPECT_TRUE(name.starts_with("sealed.") && names.insert(name).second) << name;
  }
}

}  // namespace
}  // namespace coffer::fleet::sealed
