#include "fleet/manager/cron.h"

#include <gtest/gtest.h>

namespace coffer::fleet::manager {
namespace {

std::string next(std::string_view expression, std::string_view after, std::string_view zone = "") {
  const auto cron = Cron::parse(expression);
  if (!cron) return std::string{cron.error().code.name()};
  const auto found = cron->next(parse_rfc3339(after).value(), zone);
  if (!found) return std::string{found.error().code.name()};
  return *found ? format_rfc3339(**found) : "never";
}

TEST(Cron, each_field_counts) {
  constexpr auto after = "2026-01-01T00:00:00Z";  // a Thursday
  EXPECT_EQ(next("* * * * *", after), "2026-01-01T00:01:00Z");
  EXPECT_EQ(next("30 * * * *", after), "2026-01-01T00:30:00Z");
  EXPECT_EQ(next("0 0 * * *", after), "2026-01-02T00:00:00Z");
  EXPECT_EQ(next("15 14 1 * *", after), "2026-01-01T14:15:00Z");
  EXPECT_EQ(next("0 0 1 6 *", after), "2026-06-01T00:00:00Z");
  EXPECT_EQ(next("0 0 * * 1", after), "2026-01-05T00:00:00Z");
  EXPECT_EQ(next("0 0 29 2 *", after), "2028-02-29T00:00:00Z");
}

TEST(Cron, lists_ranges_steps_and_names) {
  constexpr auto after = "2026-01-01T10:07:30Z";
  EXPECT_EQ(next("*/5 * * * *", after), "2026-01-01T10:10:00Z");
  EXPECT_EQ(next("3,8,40 * * * *", after), "2026-01-01T10:08:00Z");
  EXPECT_EQ(next("0 18-20 * * *", after), "2026-01-01T18:00:00Z");
  EXPECT_EQ(next("10/20 * * * *", after), "2026-01-01T10:10:00Z");
  EXPECT_EQ(next("5-30/10 * * * *", after), "2026-01-01T10:15:00Z");
  EXPECT_EQ(next("0 9 * MAR mon-FRI", after), "2026-03-02T09:00:00Z");
  EXPECT_EQ(next("0 0 * * 7", after), next("0 0 * * sun", after));
  EXPECT_EQ(next("  0\t0 * * 0 ", after), "2026-01-04T00:00:00Z");
  EXPECT_EQ(next("@hourly", after), "2026-01-01T11:00:00Z");
  EXPECT_EQ(next("@yearly", after), "2027-01-01T00:00:00Z");
}

TEST(Cron, either_day_fits_where_both_are_given) {
  EXPECT_EQ(next("0 0 13 * fri", "2026-01-03T00:00:00Z"), "2026-01-09T00:00:00Z");
  EXPECT_EQ(next("0 0 13 * fri", "2026-01-09T00:00:00Z"), "2026-01-13T00:00:00Z");
}

TEST(Cron, the_next_time_is_never_the_present_one) {
  EXPECT_EQ(next("0 * * * *", "2026-01-01T10:00:00Z"), "2026-01-01T11:00:00Z");
  EXPECT_EQ(next("0 * * * *", "2026-01-01T09:59:59.999Z"), "2026-01-01T10:00:00Z");
}

TEST(Cron, a_date_that_never_comes_is_told) {
  EXPECT_EQ(next("0 0 30 2 *", "2026-01-01T00:00:00Z"), "never");
}

TEST(Cron, local_time_is_that_of_the_zone) {
  EXPECT_EQ(next("0 9 * * *", "2026-01-01T00:00:00Z", "Europe/Berlin"), "2026-01-01T08:00:00Z");
  EXPECT_EQ(next("0 9 * * *", "2026-07-01T00:00:00Z", "Europe/Berlin"), "2026-07-01T07:00:00Z");
  EXPECT_EQ(next("0 0 * * *", "2026-01-01T00:00:00Z", "Asia/Kolkata"), "2026-01-01T18:30:00Z");
}

TEST(Cron, a_local_time_that_is_left_out_counts_as_the_jump) {
  // 2026-03-29, 02:00 to 03:00 does not exist in Berlin.
  EXPECT_EQ(next("30 2 * * *", "2026-03-28T12:00:00Z", "Europe/Berlin"), "2026-03-29T01:00:00Z");
  EXPECT_EQ(next("30 2 * * *", "2026-03-29T01:00:00Z", "Europe/Berlin"), "2026-03-30T00:30:00Z");
}

TEST(Cron, a_local_time_that_comes_twice_counts_once) {
  // 2026-10-25, 02:30 comes at 00:30Z and at 01:30Z.
  EXPECT_EQ(next("30 2 * * *", "2026-10-24T12:00:00Z", "Europe/Berlin"), "2026-10-25T00:30:00Z");
  EXPECT_EQ(next("30 2 * * *", "2026-10-25T00:30:00Z", "Europe/Berlin"), "2026-10-26T01:30:00Z");
}

TEST(Cron, what_is_no_expression_is_refused) {
  for (const std::string_view text : {"",
                                      "* * * *",
                                      "* * * * * *",
                                      "60 * * * *",
                                      "* 24 * * *",
                                      "* * 0 * *",
                                      "* * 32 * *",
                                      "* * * 13 *",
                                      "* * * * 8",
                                      "a * * * *",
                                      "5-1 * * * *",
                                      "*/0 * * * *",
                                      "*/61 * * * *",
                                      "1, * * * *",
                                      ",1 * * * *",
                                      "1- * * * *",
                                      "-1 * * * *",
                                      "1/ * * * *",
                                      "jan * * * *",
                                      "+1 * * * *",
                                      "1.5 * * * *",
                                      "@often",
                                      "99999999999 * * * *"}) {
    EXPECT_EQ(next(text, "2026-01-01T00:00:00Z"), "manager.bad_cron") << text;
  }
  EXPECT_EQ(next(std::string(300, '*'), "2026-01-01T00:00:00Z"), "manager.bad_cron");
  EXPECT_EQ(next("* * * * *", "2026-01-01T00:00:00Z", "Mars/Base"), "manager.bad_time_zone");
  EXPECT_FALSE(check_time_zone(std::string(65, 'a')));
  EXPECT_TRUE(check_time_zone("America/New_York"));
}

}  // namespace
}  // namespace coffer::fleet::manager
