#include "keybroker/sweep.h"

#include <gtest/gtest.h>

namespace coffer::keybroker {
namespace {

struct SweepTest : testing::Test {
  std::unique_ptr<storage::KeyValueStore> store = storage::make_memory_store();

  // More than two pages.
  static constexpr std::size_t many = 450;
  static std::string name(std::size_t number) { return "k" + std::to_string(1000 + number); }
  void fill() const {
    for (std::size_t i = 0; i < many; ++i) {
      ASSERT_TRUE(store->put("sessions", name(i), as_bytes(i % 3 == 0 ? "old" : "new")));
      ASSERT_TRUE(store->put("others", name(i), as_bytes("old")));
    }
  }
  std::size_t count(std::string_view space) const { return store->list(space)->size(); }
};

TEST_F(SweepTest, removes_what_is_not_needed_on_all_pages_and_counts_the_rest) {
  fill();
  const auto swept = sweep_space(*store, "sessions", [](std::string_view value) { return value == "new"; });
  ASSERT_TRUE(swept) << to_string(swept.error());
  EXPECT_EQ(swept->removed, many / 3);
  EXPECT_EQ(swept->kept, many - many / 3);
  EXPECT_EQ(count("sessions"), swept->kept);
  EXPECT_EQ(count("others"), many);
  for (const auto& key : *store->list("sessions")) EXPECT_EQ(to_text(**store->get("sessions", key)), "new");
}

TEST_F(SweepTest, removes_everything_where_nothing_is_needed) {
  fill();
  const auto swept = sweep_space(*store, "sessions", [](std::string_view) { return false; });
  ASSERT_TRUE(swept);
  EXPECT_EQ(swept->removed, many);
  EXPECT_EQ(swept->kept, 0U);
  EXPECT_EQ(count("sessions"), 0U);
}

TEST_F(SweepTest, erases_given_keys_in_pages_and_counts_those_that_were_there) {
  fill();
  std::vector<std::string> keys{"absent"};
  for (std::size_t i = 0; i < many; ++i) keys.push_back(name(i));
  EXPECT_EQ(erase_in_pages(*store, "sessions", keys).value(), many);
  EXPECT_EQ(erase_in_pages(*store, "sessions", keys).value(), 0U);
  EXPECT_EQ(erase_in_pages(*store, "others", {}).value(), 0U);
  EXPECT_EQ(count("others"), many);
}

}  // namespace
}  // namespace coffer::keybroker
