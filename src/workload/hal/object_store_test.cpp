#include "workload/hal/object_store.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "testing/temporary_directory.h"

namespace coffer::workload::hal {
namespace {

namespace fs = std::filesystem;

struct Objects : ::testing::Test {
  Objects() {
    fs::create_directory(root.path() / "store");
    settings.allowed = {root.path()};
  }
  std::unique_ptr<ObjectStore> open(std::uint64_t max_size = 1000, std::optional<char> key = {}) {
    ObjectStore::Options options{.max_size = max_size};
    if (key) options.seal_with = SecretBytes::copy_of(std::string(32, *key));
    auto store = ObjectStore::open(*StorageFolder::open(settings, root.path() / "store"), std::move(options));
    EXPECT_TRUE(store) << to_string(store.error());
    return std::move(*store);
  }
  template <class T>
  static std::string code_of(const Result<T>& result) {
    return result ? "" : std::string{result.error().code.name()};
  }
  TemporaryDirectory root;
  StorageSettings settings;
};

TEST_F(Objects, are_files_in_folders_that_other_programs_can_read) {
  const auto store = open();
  ASSERT_TRUE(store->make_container("c"));
  ASSERT_TRUE(store->put("c", "key.txt", as_bytes("value")));
  EXPECT_EQ(root.read("store/c/key.txt"), "value");
  EXPECT_EQ(to_text(*store->get("c", "key.txt")), "value");
  ASSERT_TRUE(store->put("c", "key.txt", as_bytes("new")));
  EXPECT_EQ(to_text(*store->get("c", "key.txt")), "new");
  EXPECT_EQ(store->facts("c", "key.txt")->size, 3U);
  EXPECT_GT(store->facts("c", "key.txt")->created_at, 1'600'000'000);
  ASSERT_TRUE(store->put("c", "a", {}));
  EXPECT_EQ(*store->list("c"), (std::vector<std::string>{"a", "key.txt"}));
  ASSERT_TRUE(store->remove("c", "a"));
  EXPECT_EQ(code_of(store->get("c", "a")), "hal.not_found");
}

TEST_F(Objects, names_lead_nowhere_else) {
  const auto store = open();
  ASSERT_TRUE(store->make_container("c"));
  root.write("secret", "x");
  const std::string long_name(ObjectStore::max_name + 1, 'n');
  for (const std::string& name : {std::string{}, std::string{"."}, std::string{".."}, std::string{"../secret"},
                                  std::string{"a/b"}, std::string{"/etc/passwd"}, std::string{".hidden"},
                                  std::string{"new\nline"}, std::string{"nul\0x", 5}, long_name}) {
    EXPECT_EQ(code_of(store->make_container(name)), "hal.bad_value") << name;
    EXPECT_EQ(code_of(store->remove_container(name)), "hal.bad_value") << name;
    EXPECT_EQ(code_of(store->list(name)), "hal.bad_value") << name;
    EXPECT_EQ(code_of(store->put("c", name, {})), "hal.bad_value") << name;
    EXPECT_EQ(code_of(store->get("c", name)), "hal.bad_value") << name;
    EXPECT_EQ(code_of(store->remove("c", name)), "hal.bad_value") << name;
    EXPECT_EQ(code_of(store->facts("c", name)), "hal.bad_value") << name;
  }
}

TEST_F(Objects, links_and_special_files_are_not_followed) {
  const auto store = open();
  ASSERT_TRUE(store->make_container("c"));
  root.write("secret", "x");
  fs::create_symlink(root.path() / "secret", root.path() / "store/c/link");
  fs::create_directory_symlink(root.path(), root.path() / "store/out");
  ASSERT_EQ(::mkfifo((root.path() / "store/c/pipe").c_str(), 0600), 0);
  EXPECT_EQ(code_of(store->get("c", "link")), "hal.io");
  EXPECT_EQ(code_of(store->put("c", "link", as_bytes("y"))), "hal.io");
  EXPECT_EQ(code_of(store->remove("c", "link")), "hal.not_found");
  EXPECT_EQ(code_of(store->get("c", "pipe")), "hal.io");
  EXPECT_EQ(code_of(store->list("out")), "hal.io");
  EXPECT_EQ(code_of(store->make_container("out")), "hal.io");
  EXPECT_TRUE(store->list("c")->empty());
  EXPECT_EQ(root.read("secret"), "x");
}

TEST_F(Objects, what_is_not_there_is_not_found) {
  const auto store = open();
  EXPECT_EQ(code_of(store->put("c", "k", {})), "hal.not_found");
  EXPECT_EQ(code_of(store->get("c", "k")), "hal.not_found");
  EXPECT_EQ(code_of(store->list("c")), "hal.not_found");
  EXPECT_EQ(code_of(store->remove_container("c")), "hal.not_found");
  ASSERT_TRUE(store->make_container("c"));
  EXPECT_EQ(code_of(store->remove("c", "k")), "hal.not_found");
  EXPECT_EQ(code_of(store->facts("c", "k")), "hal.not_found");
}

TEST_F(Objects, the_sum_of_sizes_is_bounded_and_freed_bytes_count_again) {
  auto store = open(10);
  ASSERT_TRUE(store->make_container("c"));
  ASSERT_TRUE(store->put("c", "a", as_bytes("123456")));
  EXPECT_EQ(code_of(store->put("c", "b", as_bytes("12345"))), "hal.limit");
  ASSERT_TRUE(store->put("c", "a", as_bytes("12345")));
  ASSERT_TRUE(store->put("c", "b", as_bytes("12345")));
  EXPECT_EQ(code_of(store->put("c", "c", as_bytes("1"))), "hal.limit");
  store = open(10);
  EXPECT_EQ(code_of(store->put("c", "c", as_bytes("1"))), "hal.limit") << "what lay there before counts";
  ASSERT_TRUE(store->remove("c", "a"));
  ASSERT_TRUE(store->put("c", "c", as_bytes("12345")));
  ASSERT_TRUE(store->remove_container("c"));
  ASSERT_TRUE(store->make_container("c"));
  EXPECT_TRUE(store->put("c", "d", as_bytes("1234567890")));
}

TEST_F(Objects, containers_and_objects_are_counted) {
  const auto store = open(1U << 20);
  for (std::size_t i = 0; i < ObjectStore::max_containers; ++i) {
    ASSERT_TRUE(store->make_container("c" + std::to_string(i)));
  }
  EXPECT_EQ(code_of(store->make_container("more")), "hal.limit");
  EXPECT_EQ(code_of(store->make_container("c0")), "") << "it is there";
  for (std::size_t i = 0; i < ObjectStore::max_objects; ++i) {
    ASSERT_TRUE(store->put("c0", "k" + std::to_string(i), {}));
  }
  EXPECT_EQ(code_of(store->put("c1", "k", {})), "hal.limit");
  EXPECT_EQ(code_of(store->put("c0", "k1", as_bytes("x"))), "") << "it is there";
}

TEST_F(Objects, removing_a_container_takes_what_a_killed_worker_left_and_spares_what_is_no_object) {
  const auto store = open();
  ASSERT_TRUE(store->make_container("c"));
  root.write("store/c/.unfinished-0011", "x");
  ASSERT_TRUE(store->remove_container("c"));
  EXPECT_FALSE(fs::exists(root.path() / "store/c"));
  root.write("store/d/folder/file", "x");
  EXPECT_EQ(code_of(store->remove_container("d")), "hal.io");
  EXPECT_EQ(root.read("store/d/folder/file"), "x");
}

TEST_F(Objects, an_object_that_no_guest_could_take_is_over_the_limit) {
  const auto store = open();
  root.write("store/c/large", "");
  fs::resize_file(root.path() / "store/c/large", 100U << 20);
  EXPECT_EQ(code_of(store->get("c", "large")), "hal.limit");
}

TEST_F(Objects, sealed_ones_show_nothing_on_the_disk_and_open_with_their_key_in_their_place_alone) {
  const auto store = open(1000, 'a');
  ASSERT_TRUE(store->make_container("c"));
  ASSERT_TRUE(store->put("c", "k", as_bytes("plaintext")));
  EXPECT_EQ(root.read("store/c/k").size(), 9U + 28);
  EXPECT_EQ(root.read("store/c/k").find("plaintext"), std::string::npos);
  EXPECT_EQ(to_text(*store->get("c", "k")), "plaintext");
  EXPECT_EQ(store->facts("c", "k")->size, 9U);
  EXPECT_EQ(to_text(*open(1000, 'a')->get("c", "k")), "plaintext");
  EXPECT_EQ(code_of(open(1000, 'b')->get("c", "k")), "hal.bad_value");
  fs::rename(root.path() / "store/c/k", root.path() / "store/c/moved");
  EXPECT_EQ(code_of(store->get("c", "moved")), "hal.bad_value");
  root.write("store/c/plain", "put there by somebody");
  EXPECT_EQ(code_of(store->get("c", "plain")), "hal.bad_value");
  root.write("store/c/short", "x");
  EXPECT_EQ(code_of(store->get("c", "short")), "hal.bad_value");
}

}  // namespace
}  // namespace coffer::workload::hal
