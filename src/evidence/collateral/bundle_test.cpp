#include "evidence/collateral/bundle.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "evidence/collateral/collateral_testing.h"

namespace coffer::evidence {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

CollateralRecord record(std::string key = "a", std::string body = "body") {
  return {"test-item",
          std::move(key),
          start,
          {start, start + 1h},
          std::make_shared<const CollateralBlob>(CollateralBlob{to_bytes(body), "chain"})};
}

std::string bundle() {
  const std::vector records{record(), record("b")};
  return write_bundle(records).value();
}

std::string replaced(std::string text, std::string_view what, std::string_view by) {
  const auto at = text.find(what);
  EXPECT_NE(at, std::string::npos) << what;
  return text.replace(at, what.size(), by);
}

void expect_bad(const std::string& text, std::string_view why) {
  const auto read = read_bundle(text);
  ASSERT_FALSE(read) << text;
  EXPECT_EQ(read.error().code, CollateralError::bad_bundle);
  EXPECT_THAT(read.error().message, HasSubstr(std::string{why}));
}

TEST(Bundle, what_was_written_is_read) {
  const auto read = read_bundle(bundle());
  ASSERT_TRUE(read) << to_string(read.error());
  ASSERT_EQ(read->size(), 2U);
  EXPECT_EQ((*read)[0].key, "a");
  EXPECT_EQ((*read)[0].retrieved_at, start);
  EXPECT_EQ((*read)[0].validity.until, start + 1h);
  EXPECT_EQ(to_text(ByteView{(*read)[0].blob->body}), "body");
  EXPECT_EQ((*read)[0].blob->issuer_chain, "chain");
  EXPECT_TRUE(read_bundle(write_bundle({}).value())->empty());
}

TEST(Bundle, malformed_ones_are_refused) {
  expect_bad("", "does not parse");
  expect_bad("[]", "format");
  expect_bad(replaced(bundle(), "coffer-collateral", "other"), "format");
  expect_bad(replaced(bundle(), "\"version\": 1", "\"version\": 2"), "version 1");
  expect_bad(R"({"format":"coffer-collateral","version":1})", "items");
}

TEST(Bundle, altered_ones_are_refused) {
  expect_bad(replaced(bundle(), "Ym9keQ==", "Ym9keg=="), "altered");
  expect_bad(replaced(bundle(), "\"key\": \"b\"", "\"key\": \"c\""), "altered");
  expect_bad(replaced(bundle(), "00:00:00Z", "00:00:01Z"), "altered");
  for (std::size_t size = 0; size + 2 < bundle().size(); size += 7) {
    EXPECT_FALSE(read_bundle(bundle().substr(0, size))) << size;
  }
}

// An item by itself, for what the digest over all items hides.
void expect_bad_item(const codec::json::Object& item, std::string_view why) {
  const auto read = CollateralRecord::from_json(item);
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, CollateralError::bad_bundle);
  EXPECT_THAT(read.error().message, HasSubstr(std::string{why}));
}

TEST(Bundle, items_that_are_not_whole_are_refused) {
  const auto valid = record().to_json();
  ASSERT_TRUE(CollateralRecord::from_json(valid));
  for (const auto member : {"kind", "key", "body", "sha256"}) {
    auto item = valid;
    item.erase(member);
    expect_bad_item(item, member);
  }
  auto item = valid;
  item.set("key", "../escape");
  expect_bad_item(item, "name");
  item = valid;
  item.set("until", "tomorrow");
  expect_bad_item(item, "no time");
  item = valid;
  item.set("body", "!");
  expect_bad_item(item, "base64");
  item = valid;
  item.set("issuer_chain", "other");
  expect_bad_item(item, "digest");
}

TEST(Record, names_are_checked) {
  EXPECT_TRUE(check_item_name("amd-vcek", "Milan-00.x_y"));
  for (const auto name : {"", ".", "..", "a/b", "a b", "\xc3\xa4"}) {
    EXPECT_EQ(check_item_name("kind", name).error().code, CollateralError::malformed) << name;
  }
  EXPECT_FALSE(check_item_name("kind", std::string(201, 'a')));
}

TEST(Record, the_one_that_holds_and_came_last_is_best) {
  auto early = record("a", "early");
  auto late = record("a", "late");
  late.retrieved_at = start + 1min;
  late.validity = {start + 30min, start + 2h};
  const std::vector versions{early, late};
  EXPECT_EQ(best_at(versions, start)->blob, early.blob);
  EXPECT_EQ(best_at(versions, start + 45min)->blob, late.blob);
  EXPECT_EQ(best_at(versions, start + 90min)->blob, late.blob);
  EXPECT_EQ(best_at(versions, start + 2h), nullptr);
  EXPECT_EQ(best_at(versions, start - 1s), nullptr);
}

}  // namespace
}  // namespace coffer::evidence
