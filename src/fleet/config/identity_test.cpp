#include "fleet/config/identity.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "codec/toml.h"
#include "testing/temporary_directory.h"

namespace coffer::fleet {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::string_view current = R"([proplet]
tenant_id = "t"
entity_id = "e"
api_key = "k"
channel_id = "c"
)";

class IdentityTest : public ::testing::Test {
 protected:
  Result<Identity> read() const {
    const Variables variables("PROPLET_", [this](const std::string& name) -> std::optional<std::string> {
      const auto found = environment_.find(name);
      if (found == environment_.end()) return std::nullopt;
      return found->second;
    });
    return read_identity(variables, file_);
  }
  void write(std::string_view text) { std::ofstream(file_.path) << text; }
  Error error() const {
    const auto identity = read();
    EXPECT_FALSE(identity);
    return identity ? Error{ConfigError::missing, ""} : identity.error();
  }

  TemporaryDirectory directory_;
  IdentityFile file_{.path = directory_.path() / "config.toml", .section = "proplet"};
  std::map<std::string, std::string> environment_;
};

TEST_F(IdentityTest, comes_from_the_file_where_no_variable_says_otherwise) {
  write(current);
  environment_["PROPLET_TENANT_ID"] = "mine";
  const auto identity = read();
  ASSERT_TRUE(identity) << to_string(identity.error());
  EXPECT_EQ(identity->tenant, "mine");
  EXPECT_EQ(identity->entity, "e");
  EXPECT_EQ(identity->channel, "c");
  EXPECT_TRUE(identity->api_key == SecretBytes::copy_of("k"));
}

TEST_F(IdentityTest, of_the_older_generation_is_read_in_file_and_environment) {
  write("[proplet2]\ndomain_id = \"t\"\nclient_id = \"e\"\nclient_key = \"k\"\n");
  file_.section = "proplet2";
  EXPECT_THAT(error().message, HasSubstr("PROPLET_CHANNEL_ID"));
  environment_ = {{"PROPLET_CHANNEL_ID", "c"}, {"PROPLET_CLIENT_ID", "other"}};
  const auto identity = read();
  ASSERT_TRUE(identity) << to_string(identity.error());
  EXPECT_EQ(identity->entity, "other");
  EXPECT_EQ(identity->tenant, "t");
}

TEST_F(IdentityTest, of_upstreams_go_programs_comes_from_the_file_as_a_whole) {
  write(current);
  environment_["PROPLET_TENANT_ID"] = "mine";
  file_.overwrites = true;
  EXPECT_EQ(read()->tenant, "t");
}

TEST_F(IdentityTest, needs_no_file_where_the_variables_say_all) {
  environment_ = {
      {"PROPLET_TENANT_ID", "t"}, {"PROPLET_CHANNEL_ID", "c"}, {"PROPLET_ENTITY_ID", "e"}, {"PROPLET_API_KEY", "k"}};
  EXPECT_TRUE(read());
}

TEST_F(IdentityTest, what_is_missing_is_named_and_no_secret_with_it) {
  environment_["PROPLET_API_KEY"] = "hush";
  const auto missing = error();
  EXPECT_EQ(missing.code, ConfigError::missing);
  EXPECT_THAT(missing.message, ::testing::AllOf(HasSubstr("PROPLET_TENANT_ID"), HasSubstr("PROPLET_ENTITY_ID"),
                                                HasSubstr("PROPLET_CHANNEL_ID"), Not(HasSubstr("hush"))));
}

TEST_F(IdentityTest, a_file_that_is_named_must_be_there_and_make_sense) {
  file_.named = true;
  EXPECT_EQ(error().code, ConfigError::unreadable);
  write("[manager]\ntenant_id = \"t\"\n");
  EXPECT_THAT(error().message, HasSubstr("no section [proplet] but [manager]"));
  write("[proplet]\ntenant_id = 5\n");
  EXPECT_THAT(error().message, HasSubstr("expected a string"));
  write("[proplet\n");
  EXPECT_EQ(error().code, codec::TomlError::syntax);
  write(std::string((1U << 20) + 1, '#'));
  EXPECT_EQ(error().code, ConfigError::unreadable);
}

}  // namespace
}  // namespace coffer::fleet
