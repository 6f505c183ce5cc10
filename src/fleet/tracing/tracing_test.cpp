#include "fleet/tracing/tracing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "testing/temporary_directory.h"

namespace coffer::fleet {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

using Environment = std::map<std::string, std::string>;

Result<TraceSettings> read(const Environment& environment, std::vector<std::string>* notices = nullptr) {
  const Variables variables{"MANAGER_", [&environment](const std::string& name) -> std::optional<std::string> {
                              const auto found = environment.find(name);
                              return found == environment.end() ? std::nullopt : std::optional{found->second};
                            }};
  std::vector<std::string> ignored;
  return read_trace_settings(variables, notices == nullptr ? ignored : *notices);
}

TEST(Tracing, is_off_without_a_url_whatever_the_ratio) {
  const auto settings = read({{"MANAGER_TRACE_RATIO", "1"}});
  ASSERT_TRUE(settings);
  net::MetricsRegistry metrics;
  const auto tracing = Tracing::start(*settings, "manager", "i", metrics);
  ASSERT_TRUE(tracing);
  EXPECT_FALSE(tracing->tracer().enabled());
  tracing->stop();
}

TEST(Tracing, reads_upstreams_variables) {
  std::vector<std::string> notices;
  const auto settings =
      read({{"MANAGER_OTEL_URL", "http://jaeger:4318/v1/traces"}, {"MANAGER_TRACE_RATIO", "1.0"}}, &notices);
  ASSERT_TRUE(settings);
  EXPECT_EQ(settings->url, "http://jaeger:4318/v1/traces");
  EXPECT_EQ(settings->ratio, 1.0);
  EXPECT_THAT(notices, IsEmpty());
  net::MetricsRegistry metrics;
  const auto tracing = Tracing::start(*settings, "manager", "i", metrics);
  ASSERT_TRUE(tracing);
  EXPECT_TRUE(tracing->tracer().enabled());
}

TEST(Tracing, says_that_the_default_ratio_sends_nothing) {
  std::vector<std::string> notices;
  const auto settings = read({{"MANAGER_OTEL_URL", "http://jaeger:4318"}}, &notices);
  ASSERT_TRUE(settings);
  EXPECT_THAT(notices, ElementsAre(HasSubstr("MANAGER_TRACE_RATIO is 0")));
  net::MetricsRegistry metrics;
  EXPECT_FALSE(Tracing::start(*settings, "manager", "i", metrics)->tracer().enabled());
}

TEST(Tracing, refuses_what_is_no_url_and_no_number_by_the_variables_name) {
  EXPECT_THAT(read({{"MANAGER_OTEL_URL", "jaeger:4318"}}).error().message, HasSubstr("MANAGER_OTEL_URL"));
  EXPECT_THAT(read({{"MANAGER_TRACE_RATIO", "some"}}).error().message, HasSubstr("MANAGER_TRACE_RATIO"));
}

TEST(Tracing, takes_the_standard_variables_for_credentials_and_roots) {
  const TemporaryDirectory folder;
  const auto file = (folder.path() / "ca.pem").string();
  std::ofstream{file} << "-----BEGIN CERTIFICATE-----\n";
  const auto settings = read({{"MANAGER_OTEL_URL", "https://c"},
                              {"OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer%20t, x-tenant = a ,"},
                              {"OTEL_EXPORTER_OTLP_CERTIFICATE", file}});
  ASSERT_TRUE(settings) << to_string(settings.error());
  EXPECT_EQ(settings->headers.get("Authorization"), "Bearer t");
  EXPECT_EQ(settings->headers.get("x-tenant"), "a");
  EXPECT_EQ(settings->root_pems.size(), 1U);
}

TEST(Tracing, refuses_headers_that_are_none_without_saying_their_values) {
  for (const auto* text : {"token", "a b=c", "a=%zz", "a=secret%0a", "=c"}) {
    const auto settings = read({{"MANAGER_OTEL_URL", "https://c"}, {"OTEL_EXPORTER_OTLP_HEADERS", text}});
    ASSERT_FALSE(settings) << text;
    EXPECT_THAT(settings.error().message, HasSubstr("OTEL_EXPORTER_OTLP_HEADERS"));
    EXPECT_THAT(settings.error().message, Not(HasSubstr("secret")));
  }
  EXPECT_FALSE(read({{"MANAGER_OTEL_URL", "https://c"}, {"OTEL_EXPORTER_OTLP_CERTIFICATE", "/nowhere/ca.pem"}}));
}

}  // namespace
}  // namespace coffer::fleet
