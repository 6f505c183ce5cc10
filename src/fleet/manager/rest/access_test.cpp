// Roles by client certificates. Tokens and keys: see rest_test.cpp.
#include "fleet/manager/rest/access.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace coffer::fleet::manager {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

const TimePoint now = from_unix_seconds(1'767'225'600);

constexpr std::string_view file = R"(
[[certificate]]
role = "operator"
name = "ci.example.org"
[[certificate]]
role = "viewer"
name = "spiffe://fleet/dashboard"
[[certificate]]
role = "admin"
subject = "CN=root,O=Example"
)";

net::PeerCertificate certificate() {
  return {.subject = "CN=ci", .common_name = "ci", .names = {"ci.example.org", "other"}, .not_after = now + 1h};
}

Result<std::string> check(const net::PeerCertificate& shown, Role needed, std::string_view toml = file) {
  net::ServerRequest request;
  request.certificate = std::make_shared<const net::PeerCertificate>(shown);
  return Access::parse(toml, "users.toml")->check(request, needed, now);
}

TEST(AccessByCertificate, gives_the_role_of_the_name) {
  EXPECT_EQ(check(certificate(), Role::viewer).value(), "ci.example.org");
  EXPECT_TRUE(check(certificate(), Role::operator_));
  EXPECT_EQ(check(certificate(), Role::admin).error().code, ErrorCode{ManagerError::forbidden});
  auto dashboard = certificate();
  dashboard.names = {"spiffe://fleet/dashboard"};
  EXPECT_TRUE(check(dashboard, Role::viewer));
  EXPECT_EQ(check(dashboard, Role::operator_).error().code, ErrorCode{ManagerError::forbidden});
  auto root = certificate();
  root.names = {};
  root.subject = "CN=root,O=Example";
  EXPECT_TRUE(check(root, Role::admin));
}

TEST(AccessByCertificate, a_name_without_a_role_may_nothing) {
  auto other = certificate();
  other.names = {"ci.example.org.evil", "CI.EXAMPLE.ORG"};
  const auto refused = check(other, Role::viewer);
  EXPECT_EQ(refused.error().code, ErrorCode{ManagerError::forbidden});
  EXPECT_THAT(refused.error().message, HasSubstr("CN=ci"));
}

TEST(AccessByCertificate, a_common_name_counts_only_where_there_is_no_other_name) {
  constexpr std::string_view by_common_name = "[[certificate]]\nrole = \"viewer\"\nname = \"ci\"\n";
  auto shown = certificate();
  EXPECT_FALSE(check(shown, Role::viewer, by_common_name));
  shown.names = {};
  EXPECT_TRUE(check(shown, Role::viewer, by_common_name));
}

TEST(AccessByCertificate, a_connection_that_outlasts_its_certificate_is_nobodys) {
  auto expired = certificate();
  expired.not_after = now - 1s;
  EXPECT_EQ(check(expired, Role::viewer).error().code, ErrorCode{ManagerError::unauthenticated});
}

TEST(AccessByCertificate, a_bearer_token_counts_before_a_certificate) {
  net::ServerRequest request;
  request.certificate = std::make_shared<const net::PeerCertificate>(certificate());
  request.headers.set("Authorization", "Bearer wrong");
  const auto access = Access::parse(file, "users.toml");
  EXPECT_EQ(access->check(request, Role::viewer, now).error().code, ErrorCode{ManagerError::unauthenticated});
}

TEST(AccessByCertificate, certificates_are_nothing_where_the_file_names_none) {
  const std::string tokens = "[[token]]\nname = \"a\"\nrole = \"viewer\"\nsha256 = \"" + std::string(64, 'a') + "\"\n";
  EXPECT_EQ(check(certificate(), Role::viewer, tokens).error().code, ErrorCode{ManagerError::unauthenticated});
  EXPECT_FALSE(Access::parse(tokens, "users.toml")->knows_certificates());
  EXPECT_TRUE(Access::parse(file, "users.toml")->knows_certificates());
}

TEST(AccessByCertificate, an_entry_without_exactly_one_name_is_refused) {
  for (const std::string_view text :
       {"[[certificate]]\nrole = \"viewer\"\n", "[[certificate]]\nrole = \"king\"\nname = \"a\"\n",
        "[[certificate]]\nrole = \"viewer\"\nname = \"a\"\nsubject = \"CN=a\"\n", "certificate = 1"}) {
    EXPECT_FALSE(Access::parse(text, "users.toml")) << text;
  }
}

}  // namespace
}  // namespace coffer::fleet::manager
