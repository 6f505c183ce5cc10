#include "evidence/config_section.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/log.h"

namespace coffer::evidence {
namespace {

namespace json = codec::json;
using testing::HasSubstr;

Result<ConfigSection> open(json::Object members) {
  return ConfigSection::open({{"leaf", std::move(members)}}, "leaf");
}

TEST(ConfigSection, values_are_read_and_absent_ones_have_defaults) {
  auto section = open({{"on", true}, {"count", 7}, {"name", "x"}, {"list", json::Array{1}}, {"nothing", nullptr}});
  ASSERT_TRUE(section);
  EXPECT_TRUE(*section->flag("on", false));
  EXPECT_TRUE(*section->flag("off", true));
  EXPECT_FALSE(*section->flag("nothing", false));
  EXPECT_EQ(*section->number("count", 1, 10), 7U);
  EXPECT_EQ(*section->number("other", 1, 10), std::nullopt);
  EXPECT_EQ(*section->text("name"), "x");
  EXPECT_EQ(*section->text("title"), std::nullopt);
  EXPECT_EQ((*section->array("list"))->size(), 1U);
  EXPECT_EQ(*section->array("lists"), nullptr);
}

TEST(ConfigSection, an_absent_section_is_empty_and_one_that_is_no_object_an_error) {
  EXPECT_FALSE(*ConfigSection::open({}, "leaf")->flag("on", false));
  const auto section = ConfigSection::open({{"leaf", 1}}, "leaf");
  ASSERT_FALSE(section);
  EXPECT_EQ(section.error().code, EvidenceError::bad_config);
}

TEST(ConfigSection, values_of_another_type_or_range_are_errors_that_name_the_setting) {
  auto section = open({{"on", "yes"}, {"count", 11}, {"name", 1}, {"list", json::Object{}}});
  for (const auto& error :
       {section->flag("on", false).error(), section->number("count", 1, 10).error(), section->text("name").error(),
        section->array("list").error(), section->number("on", 0, 1).error()}) {
    EXPECT_EQ(error.code, EvidenceError::bad_config);
    EXPECT_THAT(error.message, HasSubstr("the setting leaf."));
  }
  EXPECT_THAT(section->number("count", 1, 10).error().message, HasSubstr("from 1 to 10, found 11"));
}

TEST(ConfigSection, unknown_keys_are_warned_of_by_name) {
  auto section = open({{"on", true}, {"onn", true}});
  ASSERT_TRUE(section->flag("on", false));
  log::set_filter("evidence=warn");
  testing::internal::CaptureStderr();
  section->warn_of_unknown_keys();
  const auto written = testing::internal::GetCapturedStderr();
  log::init("test", log::Level::off);
  EXPECT_THAT(written, HasSubstr("evidence.unknown_setting"));
  EXPECT_THAT(written, HasSubstr("leaf.onn"));
}

}  // namespace
}  // namespace coffer::evidence
