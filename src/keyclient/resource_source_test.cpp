#include "keyclient/resource_source.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <fstream>

#include "codec/base64.h"

namespace coffer::keyclient {
namespace {

using testing::HasSubstr;
namespace fs = std::filesystem;

codec::ResourceUri uri(std::string_view path) {
  return *codec::ResourceUri::parse_any(path);
}

class ResourceSourceTest : public testing::Test {
 protected:
  void SetUp() override {
    char pattern[] = "/tmp/coffer-keys-XXXXXX";
    root_ = ::mkdtemp(pattern);
    keys_ = root_ / "keys";
    fs::create_directory(keys_);
  }
  void TearDown() override { fs::remove_all(root_); }

  fs::path write(const fs::path& file, std::string_view content) {
    fs::create_directories(file.parent_path());
    std::ofstream(file, std::ios::binary) << content;
    return file;
  }
  Result<SecretBytes> from_directory(std::string_view path) {
    auto source = TRY(DirectoryResourceSource::open(keys_));
    return source->fetch(uri(path));
  }
  ErrorCode error_of(const Result<SecretBytes>& result) {
    EXPECT_FALSE(result);
    if (result) return KeyClientError::protocol;
    message_ = result.error().message;
    return result.error().code;
  }

  fs::path root_, keys_;
  std::string message_;
};

TEST_F(ResourceSourceTest, directory_reads_nested_and_flat_files) {
  write(keys_ / "default/key/nested", "one");
  write(keys_ / "default\\x2Fkey\\x2Fflat", "two");
  EXPECT_EQ(as_text(from_directory("default/key/nested")->expose()), "one");
  EXPECT_EQ(as_text(from_directory("kbs:///default/key/flat")->expose()), "two");
}

TEST_F(ResourceSourceTest, directory_with_two_files_for_one_key_is_ambiguous) {
  write(keys_ / "default/key/k", "one");
  write(keys_ / "default\\x2Fkey\\x2Fk", "one");
  EXPECT_EQ(error_of(from_directory("default/key/k")), KeyClientError::source_ambiguous);
}

TEST_F(ResourceSourceTest, directory_names_the_file_it_missed) {
  EXPECT_EQ(error_of(from_directory("default/key/k")), KeyClientError::not_found);
  EXPECT_THAT(message_, HasSubstr((keys_ / "default/key/k").string()));
  fs::create_directories(keys_ / "default/key/k");  // a directory is no key
  EXPECT_EQ(error_of(from_directory("default/key/k")), KeyClientError::not_found);
}

TEST_F(ResourceSourceTest, directory_refuses_an_empty_key) {
  write(keys_ / "default/key/k", "");
  EXPECT_EQ(error_of(from_directory("default/key/k")), KeyClientError::key_malformed);
}

TEST_F(ResourceSourceTest, directory_follows_links_inside_and_none_that_lead_out) {
  write(keys_ / "real", "inside");
  write(root_ / "outside", "outside");
  fs::create_directories(keys_ / "default/key");
  fs::create_symlink("../../real", keys_ / "default/key/in");
  fs::create_symlink("../../../outside", keys_ / "default/key/out");
  fs::create_symlink(root_ / "outside", keys_ / "default/key/absolute");
  EXPECT_EQ(as_text(from_directory("default/key/in")->expose()), "inside");
  EXPECT_EQ(error_of(from_directory("default/key/out")), KeyClientError::source_unreadable);
  EXPECT_EQ(error_of(from_directory("default/key/absolute")), KeyClientError::source_unreadable);
}

TEST_F(ResourceSourceTest, directory_passes_by_a_fifo_and_refuses_a_huge_file) {
  fs::create_directories(keys_ / "default/key");
  ASSERT_EQ(::mkfifo((keys_ / "default/key/pipe").c_str(), 0600), 0);
  EXPECT_EQ(error_of(from_directory("default/key/pipe")), KeyClientError::not_found);
  fs::resize_file(write(keys_ / "default/key/huge", "x"), max_resource_size + 1);
  EXPECT_EQ(error_of(from_directory("default/key/huge")), KeyClientError::source_unreadable);
}

TEST_F(ResourceSourceTest, directory_has_to_exist) {
  const auto source = DirectoryResourceSource::open(root_ / "none");
  ASSERT_FALSE(source);
  EXPECT_EQ(source.error().code, KeyClientError::source_unreadable);
}

TEST_F(ResourceSourceTest, offline_files_are_read_together_and_missing_ones_only_warn) {
  const auto one = write(root_ / "keys.json", R"({"default/key/a":"YWFh"})");
  const auto two = write(root_ / "resources.json", R"({"kbs:///default/key/b":"YmJi","/default/key/a":"YWFh"})");
  const auto source = OfflineFsKbcSource::load({one, two, root_ / "none.json"});
  ASSERT_TRUE(source) << to_string(source.error());
  EXPECT_EQ(as_text((*source)->fetch(uri("default/key/a"))->expose()), "aaa");
  EXPECT_EQ(as_text((*source)->fetch(uri("kbs:///default/key/b"))->expose()), "bbb");
  EXPECT_EQ(error_of((*source)->fetch(uri("default/key/c"))), KeyClientError::not_found);
  EXPECT_THAT(message_, HasSubstr("keys.json"));
}

TEST_F(ResourceSourceTest, offline_files_that_disagree_are_ambiguous) {
  OfflineFsKbcSource source;
  ASSERT_TRUE(source.add(R"({"default/key/a":"YWFh"})", "one.json"));
  const auto added = source.add(R"({"default/key/a":"YmJi"})", "two.json");
  ASSERT_FALSE(added);
  EXPECT_EQ(added.error().code, KeyClientError::source_ambiguous);
  EXPECT_THAT(added.error().message, HasSubstr("two.json"));
}

TEST_F(ResourceSourceTest, offline_files_that_are_none_are_unreadable_and_show_no_value) {
  for (const auto* text : {"", "[]", R"({"default/key/a":7})", R"({"default/key/a":"c2VjcmV0!"})", R"({"a b":"YWFh"})",
                           R"({"default/key/a":"YWFh")"}) {
    OfflineFsKbcSource source;
    const auto added = source.add(text, "keys.json");
    ASSERT_FALSE(added) << text;
    EXPECT_EQ(added.error().code, KeyClientError::source_unreadable) << text;
    EXPECT_THAT(added.error().message, testing::AllOf(HasSubstr("keys.json"), testing::Not(HasSubstr("c2VjcmV0"))));
  }
}

TEST_F(ResourceSourceTest, offline_empty_value_is_malformed_when_asked_for) {
  OfflineFsKbcSource source;
  ASSERT_TRUE(source.add(R"({"default/key/a":""})", "keys.json"));
  EXPECT_EQ(error_of(source.fetch(uri("default/key/a"))), KeyClientError::key_malformed);
}

TEST_F(ResourceSourceTest, extra_offline_files_come_from_the_environment) {
  ::setenv("OFFLINE_FS_KBC_EXTRA_FILE_PATH", "/a.json,,/b.json", 1);
  const auto files = OfflineFsKbcSource::default_files();
  ::unsetenv("OFFLINE_FS_KBC_EXTRA_FILE_PATH");
  ASSERT_EQ(files.size(), 4U);
  EXPECT_EQ(files[2], "/a.json");
  EXPECT_EQ(files[3], "/b.json");
}

TEST_F(ResourceSourceTest, mapped_files_come_before_the_fallback) {
  write(keys_ / "default/key/other", "other");
  const auto file = write(root_ / "mine", "mine");
  const auto empty = write(root_ / "empty", "");
  auto source = MappedSource::create(
      {{"kbs:///default/key/a", file}, {"default/key/gone", root_ / "gone"}, {"default/key/empty", empty}},
      *DirectoryResourceSource::open(keys_));
  ASSERT_TRUE(source);
  EXPECT_EQ(as_text((*source)->fetch(uri("default/key/a"))->expose()), "mine");
  EXPECT_EQ(as_text((*source)->fetch(uri("default/key/other"))->expose()), "other");
  EXPECT_EQ(error_of((*source)->fetch(uri("default/key/gone"))), KeyClientError::not_found);
  EXPECT_EQ(error_of((*source)->fetch(uri("default/key/empty"))), KeyClientError::key_malformed);
}

TEST_F(ResourceSourceTest, mapped_names_must_be_sound_and_unique) {
  const auto wrong = MappedSource::create({{"http://x/y", "f"}}, nullptr);
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().code, KeyClientError::bad_uri);
  const auto twice = MappedSource::create({{"kbs:///a/b/c", "f"}, {"a/b/c", "g"}}, nullptr);
  ASSERT_FALSE(twice);
  EXPECT_EQ(twice.error().code, KeyClientError::source_ambiguous);
  auto alone = MappedSource::create({}, nullptr);
  EXPECT_EQ(error_of((*alone)->fetch(uri("a/b/c"))), KeyClientError::not_found);
}

TEST_F(ResourceSourceTest, a_chain_goes_on_only_when_a_key_is_not_there) {
  fs::create_directory(root_ / "second");
  write(keys_ / "default/key/empty", "");
  write(root_ / "second/default/key/empty", "shadowed");
  write(root_ / "second/default/key/k", "found");
  ChainedSource chain{{*DirectoryResourceSource::open(keys_), *DirectoryResourceSource::open(root_ / "second")}};
  EXPECT_EQ(as_text(chain.fetch(uri("default/key/k"))->expose()), "found");
  EXPECT_EQ(error_of(chain.fetch(uri("default/key/empty"))), KeyClientError::key_malformed);
  EXPECT_EQ(error_of(chain.fetch(uri("default/key/none"))), KeyClientError::not_found);
  EXPECT_THAT(chain.describe(), HasSubstr("then"));
}

}  // namespace
}  // namespace coffer::keyclient
