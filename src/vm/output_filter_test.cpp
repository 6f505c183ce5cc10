#include "vm/output_filter.h"

#include <gtest/gtest.h>

namespace coffer::vm {
namespace {

constexpr std::string_view status_7 =
    "\x1e"
    "coffer-vm exit 7\x1e\n";

// One that has seen the start.
OutputFilter started() {
  OutputFilter filter;
  EXPECT_EQ(filter.add("\x1e"
                       "coffer-vm start\x1e\n"),
            "");
  return filter;
}

TEST(OutputFilter, drops_what_comes_before_the_start_however_it_is_cut) {
  const std::string text =
      "\x1b[2Jfirmware\n\x1e"
      "coffer-vm start\x1e\nout";
  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    OutputFilter filter;
    EXPECT_EQ(filter.add(text.substr(0, cut)) + filter.add(text.substr(cut)) + filter.finish(), "out") << cut;
  }
  OutputFilter never;
  EXPECT_EQ(never.add(std::string(10'000, 'x')) + never.finish(), "");
}

TEST(OutputFilter, takes_the_status_line_out_of_the_output) {
  auto filter = started();
  EXPECT_EQ(filter.add("hello\n" + std::string{status_7}), "hello\n");
  EXPECT_EQ(filter.finish(), "");
  EXPECT_EQ(filter.exit_status(), 7);
}

TEST(OutputFilter, finds_the_status_line_however_it_is_cut) {
  const auto text = "ab" + std::string{status_7};
  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    auto filter = started();
    const auto out = filter.add(text.substr(0, cut)) + filter.add(text.substr(cut)) + filter.finish();
    EXPECT_EQ(out, "ab") << cut;
    EXPECT_EQ(filter.exit_status(), 7) << cut;
  }
}

TEST(OutputFilter, passes_bytes_that_only_look_like_one) {
  for (const std::string text : {"\x1e",
                                 "\x1e"
                                 "coffer-vm exit x\x1e\n",
                                 "\x1e"
                                 "coffer-vm exit 256\x1e\n",
                                 "a\x1e"
                                 "b\x1e\n",
                                 "\x1e"
                                 "coffer-vm exit \x1e\n",
                                 "\x1e"
                                 "coffer-vm exit -1\x1e\n"}) {
    auto filter = started();
    EXPECT_EQ(filter.add(text) + filter.finish(), text);
    EXPECT_FALSE(filter.exit_status());
  }
}

TEST(OutputFilter, a_mark_before_the_status_line_does_not_hide_it) {
  auto filter = started();
  EXPECT_EQ(filter.add("\x1e\x1e" + std::string{status_7}) + filter.finish(), "\x1e\x1e");
  EXPECT_EQ(filter.exit_status(), 7);
}

TEST(OutputFilter, the_last_status_line_counts) {
  auto filter = started();
  filter.add(
      "\x1e"
      "coffer-vm exit 0\x1e\n" +
      std::string{status_7});
  EXPECT_EQ(filter.exit_status(), 7);
}

TEST(OutputFilter, holds_back_no_more_than_a_status_line) {
  auto filter = started();
  const std::string text = "\x1e" + std::string(100, 'x');
  EXPECT_EQ(filter.add(text), text);
}

}  // namespace
}  // namespace coffer::vm
