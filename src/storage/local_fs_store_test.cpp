#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>

#include "storage/detail/local_fs_layout.h"
#include "storage/key_value_store.h"
#include "storage/storage_testing.h"

namespace coffer::storage {
namespace {

namespace fs = std::filesystem;
using Keys = std::vector<std::string>;

struct LocalFsTest : testing::Test {
  TemporaryDirectory directory;
  std::unique_ptr<KeyValueStore> store = open_local_fs_store({.directory = directory.path()}).value();
  std::unique_ptr<KeyValueStore> nested = open_local_fs_store({.directory = directory.path(), .nested = true}).value();

  static std::string value(KeyValueStore& from, std::string_view key, std::string_view space = "repository") {
    const auto found = from.get(space, key);
    if (!found) return std::string{found.error().code.name()};
    return *found ? to_text(**found) : "(absent)";
  }
  unsigned mode(const fs::path& relative) const {
    struct stat status{};
    EXPECT_EQ(::stat((directory.path() / relative).c_str(), &status), 0) << relative;
    return status.st_mode & 0777U;
  }
};

TEST_F(LocalFsTest, names_are_trustees) {
  ASSERT_TRUE(store->put("repository", "one/two/three", as_bytes("v")));
  EXPECT_EQ(directory.read("repository/one\\x2Ftwo\\x2Fthree"), "v");
  ASSERT_TRUE(store->put("kbs", "resource-policy.rego", as_bytes("p")));
  EXPECT_EQ(directory.read("kbs/resource-policy.rego"), "p");
}

TEST_F(LocalFsTest, files_of_trustee_are_read) {
  directory.write("repository/one\\x2Ftwo\\x2Fthree", "v");
  EXPECT_EQ(value(*store, "one/two/three"), "v");
  EXPECT_EQ(store->list("repository").value(), Keys{"one/two/three"});
}

TEST_F(LocalFsTest, hand_placed_nested_files_are_read) {
  directory.write("default/key/wasm-addition", "a key");
  for (auto* each : {store.get(), nested.get()}) {
    EXPECT_EQ(value(*each, "default/key/wasm-addition"), "a key");
    EXPECT_EQ(each->list("repository").value(), Keys{"default/key/wasm-addition"});
  }
}

TEST_F(LocalFsTest, nested_files_below_the_namespace_are_read) {
  directory.write("repository/default/key/wasm-addition", "a key");
  EXPECT_EQ(value(*store, "default/key/wasm-addition"), "a key");
  EXPECT_EQ(store->list("repository").value(), Keys{"default/key/wasm-addition"});
}

TEST_F(LocalFsTest, the_old_layout_may_have_a_repository_named_repository) {
  directory.write("repository/key/k1", "a key");
  EXPECT_EQ(value(*nested, "repository/key/k1"), "a key");
  EXPECT_EQ(value(*nested, "key/k1"), "(absent)");
  EXPECT_EQ(nested->list("repository").value(), Keys{"repository/key/k1"});
  // In the new layout the same file is a key of the namespace, and that one alone.
  EXPECT_EQ(value(*store, "key/k1"), "a key");
  EXPECT_EQ(value(*store, "repository/key/k1"), "(absent)");
  EXPECT_EQ(store->list("repository").value(), Keys{"key/k1"});
}

TEST_F(LocalFsTest, the_old_layout_is_written_nested) {
  ASSERT_TRUE(nested->put("repository", "default/key/k1", as_bytes("v")));
  EXPECT_EQ(directory.read("default/key/k1"), "v");
  EXPECT_EQ(value(*store, "default/key/k1"), "v");
}

TEST_F(LocalFsTest, writing_replaces_the_file_where_it_stands) {
  directory.write("default/key/k1", "by hand");
  ASSERT_TRUE(store->put("repository", "default/key/k1", as_bytes("written")));
  EXPECT_EQ(directory.read("default/key/k1"), "written");
  EXPECT_EQ(mode("default/key/k1"), 0600U);
  EXPECT_FALSE(fs::exists(directory.path() / "repository"));
  ASSERT_TRUE(store->erase("repository", "default/key/k1").value());
  EXPECT_FALSE(fs::exists(directory.path() / "default/key/k1"));
}

TEST_F(LocalFsTest, two_files_for_one_key_are_an_error_that_names_both) {
  directory.write("default/key/k1", "by hand");
  directory.write("repository/default\\x2Fkey\\x2Fk1", "written");
  const auto found = store->get("repository", "default/key/k1");
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, StorageError::ambiguous);
  EXPECT_NE(found.error().message.find("/default/key/k1"), std::string::npos) << found.error().message;
  EXPECT_NE(found.error().message.find("\\x2Fk1"), std::string::npos) << found.error().message;
  EXPECT_EQ(store->put("repository", "default/key/k1", {}).error().code, StorageError::ambiguous);
  EXPECT_EQ(store->put_if("repository", "default/key/k1", std::nullopt, {}).error().code, StorageError::ambiguous);
  EXPECT_EQ(store->erase("repository", "default/key/k1").error().code, StorageError::ambiguous);
  EXPECT_EQ(store->list("repository").value(), Keys{"default/key/k1"});
  EXPECT_EQ(directory.read("default/key/k1"), "by hand");
}

TEST_F(LocalFsTest, listing_merges_both_layouts) {
  directory.write("b/key/k", "");
  directory.write("repository/a\\x2Fkey\\x2Fk", "");
  directory.write("repository/c/key/k", "");
  EXPECT_EQ(store->list("repository").value(), (Keys{"a/key/k", "b/key/k", "c/key/k"}));
  EXPECT_EQ(store->list("repository", "b/").value(), Keys{"b/key/k"});
}

TEST_F(LocalFsTest, files_that_are_no_keys_are_passed_over) {
  directory.write("repository/.coffer~new", "");
  directory.write("repository/with space", "");
  directory.write("repository/a\\x2F\\x2Fb", "");
  directory.write("two/levels", "");
  directory.write("one/two/three/four", "");
  directory.write("readme", "");
  EXPECT_EQ(store->list("repository").value(), Keys{});
}

TEST_F(LocalFsTest, other_namespaces_are_no_repositories) {
  directory.write("kbs/resource-policy.rego", "policy");
  directory.write("kbs_protocol_session/0123", "session");
  EXPECT_EQ(store->list("repository").value(), Keys{});
  EXPECT_EQ(value(*store, "kbs/resource-policy.rego"), "(absent)");
  EXPECT_EQ(value(*store, "kbs_protocol_session/0123"), "(absent)");
}

TEST_F(LocalFsTest, files_and_folders_are_for_the_owner_alone) {
  const auto old_mask = ::umask(0);
  const auto fresh = open_local_fs_store({.directory = directory.path() / "new", .nested = true}).value();
  ASSERT_TRUE(fresh->put("repository", "a/b/c", as_bytes("v")));
  ASSERT_TRUE(fresh->put("kbs", "k", as_bytes("v")));
  ::umask(old_mask);
  for (const auto* folder : {"new", "new/a", "new/a/b", "new/kbs"}) EXPECT_EQ(mode(folder), 0700U) << folder;
  for (const auto* file : {"new/a/b/c", "new/kbs/k"}) EXPECT_EQ(mode(file), 0600U) << file;
}

TEST_F(LocalFsTest, links_that_lead_out_are_not_followed) {
  const TemporaryDirectory outside;
  outside.write("secret", "not yours");
  fs::create_directories(directory.path() / "default/key");
  fs::create_symlink(outside.path() / "secret", directory.path() / "default/key/file");
  fs::create_directory_symlink(outside.path(), directory.path() / "default/out");
  fs::create_symlink("/proc/self/environ", directory.path() / "default/key/magic");
  for (const auto* key : {"default/key/file", "default/out/secret", "default/key/magic"}) {
    const auto found = store->get("repository", key);
    ASSERT_FALSE(found) << key;
    EXPECT_EQ(found.error().code, StorageError::unavailable);
    EXPECT_NE(found.error().message.find("leads out"), std::string::npos) << found.error().message;
  }
  EXPECT_EQ(store->list("repository").value(), Keys{});
  EXPECT_FALSE(nested->put("repository", "default/out/new", as_bytes("v")));
  EXPECT_FALSE(fs::exists(outside.path() / "new"));
}

TEST_F(LocalFsTest, writing_replaces_a_link_and_not_what_it_names) {
  directory.write("default/key/real", "real");
  fs::create_symlink("real", directory.path() / "default/key/alias");
  EXPECT_EQ(value(*store, "default/key/alias"), "real");  // links that stay inside are followed
  ASSERT_TRUE(store->put("repository", "default/key/alias", as_bytes("new")));
  EXPECT_EQ(value(*store, "default/key/alias"), "new");
  EXPECT_EQ(value(*store, "default/key/real"), "real");
}

TEST_F(LocalFsTest, what_is_no_regular_file_is_absent) {
  fs::create_directories(directory.path() / "default/key/folder");
  ASSERT_EQ(::mkfifo((directory.path() / "default/key/fifo").c_str(), 0600), 0);
  EXPECT_EQ(value(*store, "default/key/folder"), "(absent)");
  EXPECT_EQ(value(*store, "default/key/fifo"), "(absent)");
  EXPECT_EQ(store->list("repository").value(), Keys{});
}

TEST_F(LocalFsTest, what_a_crash_left_is_replaced) {
  directory.write("kbs/.coffer~new", std::string(10'000, 'x'));
  ASSERT_TRUE(store->put("kbs", "k", as_bytes("v")));
  EXPECT_EQ(value(*store, "k", "kbs"), "v");
  EXPECT_FALSE(fs::exists(directory.path() / "kbs/.coffer~new"));
}

TEST_F(LocalFsTest, a_key_too_long_for_a_file_name_is_refused) {
  const std::string key(300, 'k');
  EXPECT_EQ(store->put("kbs", key, {}).error().code, StorageError::bad_key);
  EXPECT_EQ(value(*store, key, "kbs"), "(absent)");
  EXPECT_FALSE(fs::exists(directory.path() / "kbs/.coffer~new"));
}

TEST_F(LocalFsTest, a_folder_in_the_way_is_unavailable) {
  fs::create_directories(directory.path() / "kbs/k");
  EXPECT_EQ(store->put("kbs", "k", as_bytes("v")).error().code, StorageError::unavailable);
  directory.write("default", "a file");
  EXPECT_EQ(nested->put("repository", "default/key/k1", as_bytes("v")).error().code, StorageError::unavailable);
}

TEST_F(LocalFsTest, hand_placed_files_over_the_limit_are_refused) {
  directory.write("kbs/large", "");
  fs::resize_file(directory.path() / "kbs/large", max_value_size + 1);
  EXPECT_EQ(store->get("kbs", "large").error().code, StorageError::too_large);
}

TEST_F(LocalFsTest, a_directory_that_cannot_be_one_is_unavailable) {
  directory.write("file", "");
  for (const auto* path : {"file", "missing/deeper"}) {
    const auto opened = open_local_fs_store({.directory = directory.path() / path});
    ASSERT_FALSE(opened) << path;
    EXPECT_EQ(opened.error().code, StorageError::unavailable);
    EXPECT_NE(opened.error().message.find(path), std::string::npos) << opened.error().message;
  }
  EXPECT_EQ(open_local_fs_store({.directory = directory.path(), .nested_space = "a/b"}).error().code,
            StorageError::bad_key);
}

TEST(LocalFsLayout, file_names_and_keys_are_each_others_inverse) {
  using detail::LocalFsLayout;
  for (const auto* key : {"a", "a/b", "one/two/three", "a.b-c_d/x2F"}) {
    EXPECT_EQ(LocalFsLayout::key_of(LocalFsLayout::file_name(key)), key);
  }
  for (const auto* name : {"", "\\x2F", "a\\x2F",
                           "a\\x2f"
                           "b",
                           "a\\b", "..", "a\\x2F..\\x2Fb"}) {
    EXPECT_EQ(LocalFsLayout::key_of(name), std::nullopt) << name;
  }
}

}  // namespace
}  // namespace coffer::storage
