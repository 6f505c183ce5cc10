#include "keybroker/admin_access.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <fstream>

#include "codec/jose/jwt.h"
#include "keybroker/acl.h"
#include "keybroker/key_files.h"

namespace coffer::keybroker {
namespace {

using codec::json::Object;

constexpr TimePoint now{std::chrono::milliseconds{1767323045000}};
constexpr std::string_view path = "/kbs/v0/resource/a/b/c";

class AdminAccessTest : public ::testing::Test {
 protected:
  AdminAccessTest() {
    std::string name = "/tmp/coffer-admin-XXXXXX";
    directory = ::mkdtemp(name.data());
  }
  ~AdminAccessTest() override { std::filesystem::remove_all(directory); }

  std::filesystem::path write(std::string_view name, std::string_view text) {
    const auto file = directory / name;
    std::ofstream{file} << text;
    return file;
  }
  std::filesystem::path public_key(std::string_view name, const crypto::PrivateKey& key) {
    return write(name, key.public_key().to_pem());
  }
  static crypto::PrivateKey make_key(crypto::KeyKind kind = crypto::KeyKind::ed25519) {
    return *crypto::PrivateKey::generate(kind);
  }
  static std::string token(const crypto::PrivateKey& key, const Object& claims, Object header = {}) {
    return *codec::jose::sign_jwt(std::move(header), claims, key, crypto::default_algorithm(key.kind()));
  }
  static Object claims() {
    return {
        {"iss", "issuer"}, {"aud", codec::json::Array{"kbs"}}, {"role", "admin"}, {"exp", to_unix_seconds(now) + 60}};
  }

  // The refusal's cause, or "ok:<name>".
  static std::string check(const AdminConfig& config, const std::string& jwt, std::string_view endpoint = path) {
    const auto access = AdminAccess::create(config);
    if (!access) return to_string(access.error());
    net::Headers headers;
    if (!jwt.empty()) headers.set("Authorization", "Bearer " + jwt);
    const auto who = (*access)->check(headers, endpoint, now);
    return who ? "ok:" + *who : who.error().message;
  }

  AdminConfig simple(const crypto::PrivateKey& key) {
    return {.mode = AdminMode::simple, .personas = {{"alice", public_key("alice.pub", key)}}};
  }
  AdminConfig bearer(const crypto::PrivateKey& key) {
    return {
        .mode = AdminMode::bearer_jwt,
        .identity_providers = {{.issuer = "issuer", .audience = "kbs", .public_key_uri = public_key("idp.pub", key)}},
        .acls = {{"admin", "^/kbs/.+$"}}};
  }

  std::filesystem::path directory;
  std::string denied = "admin access denied for endpoint /kbs/v0/resource/a/b/c: ";
};

TEST_F(AdminAccessTest, deny_all_denies_in_upstreams_words) {
  EXPECT_EQ(check({}, ""), denied + "Admin access denied as DenyAll authorization_mode is enabled");
}

TEST_F(AdminAccessTest, insecure_allow_all_asks_for_nothing) {
  EXPECT_EQ(check({.mode = AdminMode::insecure_allow_all}, ""), "ok:anyone");
}

TEST_F(AdminAccessTest, without_a_token_nobody_is_administrator) {
  const auto key = make_key();
  EXPECT_EQ(check(simple(key), ""), denied + "request unauthorized: no Bearer token in the Authorization header");
}

TEST_F(AdminAccessTest, a_persona_signs_with_its_key_and_needs_no_claims_but_exp) {
  const auto key = make_key();
  EXPECT_EQ(check(simple(key), token(key, {{"exp", to_unix_seconds(now) + 60}})), "ok:alice");
}

TEST_F(AdminAccessTest, a_personas_key_may_be_ec_or_rsa) {
  for (const auto kind : {crypto::KeyKind::ec_p256, crypto::KeyKind::ec_p384, crypto::KeyKind::rsa}) {
    const auto key = make_key(kind);
    EXPECT_EQ(check(simple(key), token(key, claims())), "ok:alice") << crypto::name_of(kind);
  }
}

TEST_F(AdminAccessTest, another_key_is_refused) {
  const auto key = make_key();
  EXPECT_EQ(check(simple(key), token(make_key(), claims())),
            denied + "Cannot verify token with any of the issuers (the keys of 1 personas)");
}

TEST_F(AdminAccessTest, roles_limit_what_a_persona_may_use) {
  const auto key = make_key();
  auto config = simple(key);
  config.roles = {{"alice", "^/kbs/v0/resource/a/.*$"}};
  EXPECT_EQ(check(config, token(key, claims())), "ok:alice");
  EXPECT_NE(check(config, token(key, claims()), "/kbs/v0/resource-policy")
                .find("Role alice not allowed for path /kbs/v0/resource-policy"),
            std::string::npos);
}

TEST_F(AdminAccessTest, an_identity_provider_vouches_and_the_acl_allows_by_role) {
  const auto key = make_key();
  EXPECT_EQ(check(bearer(key), token(key, claims())), "ok:admin");
}

TEST_F(AdminAccessTest, a_bad_token_is_refused_in_upstreams_words) {
  const auto key = make_key();
  const auto config = bearer(key);
  const auto unverified = denied + "Cannot verify token with any of the issuers";
  auto expired = claims();
  expired.set("exp", to_unix_seconds(now) - 61);
  auto endless = claims();
  endless.erase("exp");
  auto foreign = claims();
  foreign.set("iss", "someone");
  auto elsewhere = claims();
  elsewhere.set("aud", "other");
  EXPECT_EQ(check(config, token(make_key(), claims())), unverified);
  for (const auto& bad : {expired, endless, foreign, elsewhere}) EXPECT_EQ(check(config, token(key, bad)), unverified);
  EXPECT_EQ(check(config, "garbage"), unverified);
  EXPECT_EQ(check(config, "eyJhbGciOiJub25lIn0.e30."), unverified);
}

TEST_F(AdminAccessTest, issuer_and_audience_are_checked_only_where_configured) {
  const auto key = make_key();
  auto config = bearer(key);
  config.identity_providers.front().issuer.reset();
  config.identity_providers.front().audience.reset();
  EXPECT_EQ(check(config, token(key, {{"role", "admin"}, {"exp", to_unix_seconds(now) + 60}})), "ok:admin");
}

TEST_F(AdminAccessTest, a_token_without_a_role_is_refused) {
  const auto key = make_key();
  auto bare = claims();
  bare.erase("role");
  auto list = claims();
  list.set("role", codec::json::Array{"admin"});
  EXPECT_EQ(check(bearer(key), token(key, bare)), denied + "Missing required `role` claim in JWT");
  EXPECT_EQ(check(bearer(key), token(key, list)), denied + "Missing required `role` claim in JWT");
}

TEST_F(AdminAccessTest, a_role_without_a_rule_is_refused) {
  const auto key = make_key();
  auto guest = claims();
  guest.set("role", "guest");
  EXPECT_EQ(check(bearer(key), token(key, guest)), denied + "Role guest not allowed for path /kbs/v0/resource/a/b/c");
}

TEST_F(AdminAccessTest, a_key_set_is_searched_by_kid) {
  const auto key = make_key();
  const auto other = make_key(crypto::KeyKind::ec_p256);
  const Object set{{"keys", codec::json::Array{codec::jose::to_jwk(other.public_key(), "ES256", "second"),
                                               codec::jose::to_jwk(key.public_key(), "EdDSA", "first")}}};
  AdminConfig config{
      .mode = AdminMode::bearer_jwt,
      .identity_providers = {{.jwk_set_uri = "file://" + write("set.json", codec::json::serialize(set)).string()}},
      .acls = {{"admin", "^/kbs/.+$"}}};
  EXPECT_EQ(check(config, token(key, claims(), {{"kid", "first"}})), "ok:admin");
  EXPECT_EQ(check(config, token(key, claims(), {{"kid", "second"}})),
            denied + "Cannot verify token with any of the issuers");
  EXPECT_EQ(check(config, token(key, claims())), denied + "Cannot verify token with any of the issuers");
}

TEST_F(AdminAccessTest, keys_that_cannot_be_read_are_errors_at_start) {
  EXPECT_TRUE(check({.mode = AdminMode::simple, .personas = {{"a", directory / "none"}}}, "")
                  .starts_with("broker.config_file: public_key_path"));
  const auto garbage = write("garbage.pub", "no key");
  EXPECT_TRUE(check({.mode = AdminMode::simple, .personas = {{"a", garbage}}}, "").starts_with("broker.config_file: "));
  EXPECT_TRUE(check({.mode = AdminMode::bearer_jwt, .identity_providers = {{.jwk_set_uri = garbage}}}, "")
                  .starts_with("broker.config_file: "));
  EXPECT_TRUE(check({.mode = AdminMode::bearer_jwt, .identity_providers = {{.public_key_uri = "http://idp/key"}}}, "")
                  .starts_with("broker.config_value: "));
}

TEST(Acl, wants_expressions_from_kbs_to_the_end) {
  for (const auto* bad : {"/kbs/.*", "^/kbs/.*", ".*$", "^/kbs/($", ""}) {
    const auto acl = Acl::create({{"admin", bad}});
    ASSERT_FALSE(acl) << bad;
    EXPECT_EQ(acl.error().code, ErrorCode{BrokerError::config_value});
  }
}

TEST(Acl, matches_the_whole_path_with_its_query) {
  const auto acl = Acl::create({{"reader", "^/kbs/v0/resources\\?prefix=a/$"}, {"admin", "^/kbs/v0/x$|y$"}});
  ASSERT_TRUE(acl);
  EXPECT_TRUE(acl->allows("reader", "/kbs/v0/resources?prefix=a/"));
  EXPECT_FALSE(acl->allows("reader", "/kbs/v0/resources?prefix=a/b"));
  EXPECT_FALSE(acl->allows("reader", "/kbs/v0/resources"));
  EXPECT_FALSE(acl->allows("other", "/kbs/v0/resources?prefix=a/"));
  EXPECT_FALSE(acl->allows("admin", "/kbs/v0/resource-policy")) << "an alternative does not match inside a path";
}

TEST(BearerToken, is_what_follows_the_scheme_in_any_case) {
  EXPECT_EQ(bearer_token({{"Authorization", "Bearer abc"}}), "abc");
  EXPECT_EQ(bearer_token({{"authorization", "bearer abc"}}), "abc");
  EXPECT_EQ(bearer_token({{"Authorization", "Basic abc"}}), std::nullopt);
  EXPECT_EQ(bearer_token({{"Authorization", "Bearer "}}), std::nullopt);
  EXPECT_EQ(bearer_token({}), std::nullopt);
}

}  // namespace
}  // namespace coffer::keybroker
