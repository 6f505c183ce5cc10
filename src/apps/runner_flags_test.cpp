#include "apps/runner_flags.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <CLI/CLI.hpp>
#include <cstdlib>

namespace coffer::runner {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

class FlagsTest : public testing::Test {
 protected:
  // Parses and applies; the error's text, or "" where all is well.
  std::string parse(std::vector<std::string> arguments) {
    flags_ = {};
    CLI::App app;
    flags_.add_to(app);
    std::ranges::reverse(arguments);  // as CLI11 wants a vector
    try {
      app.parse(std::move(arguments));
    } catch (const CLI::ParseError& error) {
      return std::string{"command line: "} + error.what();
    }
    const auto applied = flags_.apply();
    return applied ? "" : applied.error().message;
  }
  Flags flags_;
};

TEST_F(FlagsTest, upstreams_command_line_is_understood) {
  ASSERT_EQ(parse({"--image-reference",
                   "docker.io/x/y:encrypted",
                   "--work-dir",
                   "/tmp/w",
                   "--layer-store-path",
                   "/tmp/l",
                   "--kbs-uri",
                   "http://10.0.2.2:8082",
                   "--kbc-name",
                   "cc_kbc",
                   "--aa-config",
                   "aa-config.toml",
                   "--kbs-resource-path",
                   "default/key/k1",
                   "--runtime",
                   "wasmtime",
                   "--invoke",
                   "add",
                   "--wasm-args",
                   "5",
                   "--wasm-args",
                   "10"}),
            "");
  const auto& options = flags_.options;
  EXPECT_EQ(options.image, "docker.io/x/y:encrypted");
  EXPECT_EQ(options.work_dir, "/tmp/w");
  EXPECT_EQ(options.layer_store, "/tmp/l");
  EXPECT_EQ(options.kbs_url, "http://10.0.2.2:8082");
  EXPECT_EQ(options.kbc_name, "cc_kbc");
  EXPECT_EQ(options.aa_config, "aa-config.toml");
  EXPECT_EQ(options.key_id, "default/key/k1");
  EXPECT_EQ(options.runtime, "wasmtime");
  EXPECT_EQ(options.invoke, "add");
  EXPECT_THAT(options.wasm_args, ElementsAre("5", "10"));
}

TEST_F(FlagsTest, short_names_are_upstreams) {
  ASSERT_EQ(parse({"-i", "x", "-w", "w", "-l", "l", "-k", "http://h", "-n", "sample", "-a", "a", "-r", "r"}), "");
  EXPECT_EQ(flags_.options.kbc_name, "sample");
  EXPECT_EQ(flags_.options.mode, guest::Mode::automatic);
}

TEST_F(FlagsTest, arguments_of_the_module_may_look_like_ours) {
  ASSERT_EQ(parse({"-i", "x", "--wasm-args=-5", "--wasm-args=--help", "--", "-7", "--json"}), "");
  EXPECT_THAT(flags_.options.wasm_args, ElementsAre("-5", "--help", "-7", "--json"));
  EXPECT_FALSE(flags_.json);
}

TEST_F(FlagsTest, ours_are_understood) {
  ::setenv("COFFER_FLAGS_TEST", "from here", 1);
  ASSERT_EQ(parse({"-i",
                   "x",
                   "--mode",
                   "offline",
                   "--offline-keys",
                   "a",
                   "--offline-keys",
                   "b",
                   "--tee",
                   "sample",
                   "--env",
                   "A=1=2",
                   "--env",
                   "COFFER_FLAGS_TEST",
                   "--dir",
                   "/tmp::/data",
                   "--dir",
                   "/tmp",
                   "--allow-http",
                   "API.example:443",
                   "--memory",
                   "64M",
                   "--fuel",
                   "1000",
                   "--timeout",
                   "1.5",
                   "--stdin",
                   "--json",
                   "--issuer-uri",
                   "http://i",
                   "--kbs-cert",
                   "c.pem",
                   "--init-data",
                   "i.toml",
                   "--require-encrypted",
                   "--allow-unattested",
                   "--plain-http"}),
            "");
  const auto& options = flags_.options;
  EXPECT_EQ(options.mode, guest::Mode::offline);
  EXPECT_THAT(options.offline_keys, ElementsAre("a", "b"));
  EXPECT_EQ(options.tee, "sample");
  EXPECT_THAT(options.environment, ElementsAre(Pair("A", "1=2"), Pair("COFFER_FLAGS_TEST", "from here")));
  EXPECT_THAT(options.directories, ElementsAre(Pair("/tmp", "/data"), Pair("/tmp", "/tmp")));
  EXPECT_THAT(options.allow_http, ElementsAre("api.example:443"));
  EXPECT_EQ(options.max_memory, 64U << 20);
  EXPECT_EQ(options.fuel, 1000U);
  EXPECT_EQ(options.timeout, std::chrono::milliseconds{1500});
  EXPECT_TRUE(options.inherit_stdin && options.require_encrypted && options.allow_unattested && options.plain_http);
  EXPECT_TRUE(flags_.json);
  EXPECT_EQ(options.issuer_url, "http://i");
  EXPECT_EQ(options.kbs_certificate, "c.pem");
  EXPECT_EQ(options.init_data, "i.toml");
}

TEST_F(FlagsTest, mistakes_are_named) {
  EXPECT_THAT(parse({}), HasSubstr("image-reference"));
  EXPECT_THAT(parse({"-i", "x", "--colour"}), HasSubstr("--colour"));
  EXPECT_THAT(parse({"-i", "x", "--mode", "direct"}), HasSubstr("direct"));
  EXPECT_THAT(parse({"-i", "x", "--env", "=1"}), HasSubstr("--env"));
  EXPECT_THAT(parse({"-i", "x", "--env", "COFFER_NO_SUCH_VARIABLE"}), HasSubstr("COFFER_NO_SUCH_VARIABLE"));
  EXPECT_THAT(parse({"-i", "x", "--dir", "/no/such/directory"}), HasSubstr("/no/such/directory"));
  EXPECT_THAT(parse({"-i", "x", "--allow-http", "http://host"}), HasSubstr("http://host"));
  EXPECT_THAT(parse({"-i", "x", "--memory", "lots"}), HasSubstr("lots"));
  EXPECT_THAT(parse({"-i", "x", "--timeout", "-1"}), HasSubstr("--timeout"));
  EXPECT_THAT(parse({"-i", "x", "--timeout", "nan"}), HasSubstr("--timeout"));
  EXPECT_THAT(parse({"-i", "x", "--fuel", "-1"}), HasSubstr("fuel"));
  EXPECT_THAT(parse({"-i", "x", "--registry-user", "u"}), HasSubstr("--registry-password-file"));
}

TEST(Sizes, are_bytes_or_powers_of_1024) {
  EXPECT_EQ(*parse_size("65536"), 65536U);
  EXPECT_EQ(*parse_size("2K"), 2048U);
  EXPECT_EQ(*parse_size("3G"), 3ULL << 30);
  for (const auto* text : {"", "M", "1T", "-1", "1.5M", "1 M", "18446744073709551616", "18446744073709551615G"}) {
    EXPECT_FALSE(parse_size(text)) << text;
  }
}

}  // namespace
}  // namespace coffer::runner
