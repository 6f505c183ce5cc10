#include "image/registry_auth.h"

#include <filesystem>

#include "image/testing/expect.h"

namespace coffer::image {
namespace {

using testing::expect_error;

Result<AuthConfig> parse(std::string_view text) {
  return AuthConfig::parse(as_bytes(text));
}

// base64("user:pass:word")
constexpr std::string_view entry = R"({"auth":"dXNlcjpwYXNzOndvcmQ="})";

std::string user_of(const AuthConfig& config, std::string_view reference) {
  const auto found = config.find(ImageReference::parse(reference).value());
  return found ? found->username : "";
}

TEST(auth_config, user_and_password_are_split_at_the_first_colon) {
  const auto config = parse(R"({"auths":{"ghcr.io":)" + std::string{entry} + "}}").value();
  const auto found = config.find(ImageReference::parse("ghcr.io/a/b").value());
  ASSERT_TRUE(found);
  EXPECT_EQ(found->username, "user");
  EXPECT_EQ(as_text(found->password.expose()), "pass:word");
  EXPECT_EQ(user_of(config, "quay.io/a/b"), "");
}

TEST(auth_config, docker_hub_has_many_names) {
  for (const auto* key : {"https://index.docker.io/v1/", "docker.io", "index.docker.io", "registry-1.docker.io"}) {
    EXPECT_EQ(user_of(parse(R"({"auths":{")" + std::string{key} + "\":" + std::string{entry} + "}}").value(), "alpine"),
              "user")
        << key;
  }
}

TEST(auth_config, the_longest_path_wins) {
  const auto config =
      parse(R"({"auths":{"ghcr.io":{"username":"host","password":"p"},"ghcr.io/a":{"username":"org","password":"p"},)"
            R"("ghcr.io/a/b":{"username":"repo","password":"p"}}})")
          .value();
  EXPECT_EQ(user_of(config, "ghcr.io/a/b:t"), "repo");
  EXPECT_EQ(user_of(config, "ghcr.io/a/c"), "org");
  EXPECT_EQ(user_of(config, "ghcr.io/ab"), "host");
}

TEST(auth_config, entries_without_credentials_are_passed_over) {
  EXPECT_EQ(user_of(parse(R"({"auths":{"ghcr.io":{}},"credsStore":"desktop"})").value(), "ghcr.io/a"), "");
  EXPECT_TRUE(parse("{}"));
}

TEST(auth_config, broken_files_are_refused) {
  for (const auto* text : {"", "[]", R"({"auths":[]})", R"({"auths":{"h":7}})", R"({"auths":{"h":{"auth":"!!"}}})",
                           R"({"auths":{"h":{"auth":"bm9jb2xvbg=="}}})"}) {
    expect_error(parse(text), ImageError::bad_auth_config);
  }
  expect_error(AuthConfig::load("/nonexistent/config.json"), ImageError::bad_auth_config);
}

TEST(challenge, a_bearer_challenge_is_read) {
  const auto list =
      parse_www_authenticate(
          R"(Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:a/b:pull,push")")
          .value();
  ASSERT_EQ(list.size(), 1U);
  EXPECT_EQ(list[0].scheme, "bearer");
  EXPECT_EQ(list[0].parameters.at("realm"), "https://auth.docker.io/token");
  EXPECT_EQ(list[0].parameters.at("scope"), "repository:a/b:pull,push");
}

TEST(challenge, several_schemes_share_one_header) {
  const auto list =
      parse_www_authenticate(R"(Negotiate TlRMTVNTUAAB=, Basic realm = "a\"b" , , Bearer realm=x,service=y)").value();
  ASSERT_EQ(list.size(), 3U);
  EXPECT_EQ(list[0].scheme, "negotiate");
  EXPECT_EQ(list[1].parameters.at("realm"), "a\"b");
  EXPECT_EQ(list[2].parameters.at("service"), "y");
}

TEST(challenge, broken_headers_are_refused) {
  for (const auto* text :
       {R"(realm="x")", R"(Bearer realm="x)", R"(Bearer realm="x"y)", "Bearer a=b c=d", "=", "B@d x=y"}) {
    expect_error(parse_www_authenticate(text), ImageError::registry_protocol);
  }
  expect_error(parse_www_authenticate(std::string(20'000, 'a')), ImageError::registry_protocol);
}

}  // namespace
}  // namespace coffer::image
