#include "workload/hal/storage_folder.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "testing/temporary_directory.h"

namespace coffer::workload::hal {
namespace {

namespace fs = std::filesystem;

struct Folders : ::testing::Test {
  Folders() {
    fs::create_directories(root.path() / "allowed");
    fs::create_directories(root.path() / "outside");
    settings.own = root.path() / "own";
    settings.allowed = {root.path() / "allowed"};
  }
  template <class T>
  static std::string code_of(const Result<T>& result) {
    return result ? "" : std::string{result.error().code.name()};
  }
  TemporaryDirectory root;
  StorageSettings settings;
};

TEST_F(Folders, a_path_is_allowed_or_below_one_that_is) {
  const auto allowed = root.path() / "allowed";
  EXPECT_EQ(find_storage(settings, allowed)->relative, "");
  EXPECT_EQ(find_storage(settings, allowed / "")->relative, "");
  EXPECT_EQ(find_storage(settings, allowed / "a" / "." / "b")->relative, "a/b");
  for (const auto& wrong :
       {root.path() / "outside", root.path(), root.path() / "allowed-too", allowed / ".." / "outside",
        allowed / "a" / ".." / "b", fs::path{"allowed"}, fs::path{"/"}, fs::path{}}) {
    EXPECT_EQ(code_of(find_storage(settings, wrong)), "hal.storage_refused") << wrong;
  }
  settings.allowed.clear();
  EXPECT_EQ(code_of(find_storage(settings, allowed)), "hal.storage_refused");
}

TEST_F(Folders, folders_on_the_way_are_made_and_stay) {
  const auto wanted = root.path() / "allowed" / "a" / "b";
  {
    EXPECT_TRUE(StorageFolder::open(settings, wanted));
  }
  EXPECT_TRUE(fs::is_directory(wanted));
}

TEST_F(Folders, a_link_may_lead_elsewhere_inside_and_not_out) {
  const auto allowed = root.path() / "allowed";
  fs::create_directory(allowed / "real");
  fs::create_directory_symlink("real", allowed / "inside");
  fs::create_directory_symlink(root.path() / "outside", allowed / "out");
  fs::create_directory_symlink("../outside", allowed / "up");
  EXPECT_EQ(code_of(StorageFolder::open(settings, allowed / "inside" / "x")), "");
  EXPECT_TRUE(fs::is_directory(allowed / "real" / "x"));
  for (const auto* link : {"out", "up"}) {
    EXPECT_EQ(code_of(StorageFolder::open(settings, allowed / link)), "hal.storage_refused");
    EXPECT_EQ(code_of(StorageFolder::open(settings, allowed / link / "x")), "hal.storage_refused");
  }
  EXPECT_TRUE(fs::is_empty(root.path() / "outside"));
}

TEST_F(Folders, what_is_no_folder_is_an_error) {
  root.write("allowed/file", "x");
  EXPECT_EQ(code_of(StorageFolder::open(settings, root.path() / "allowed" / "file")), "hal.io");
  settings.allowed = {root.path() / "missing"};
  EXPECT_EQ(code_of(StorageFolder::open(settings, root.path() / "missing" / "x")), "hal.io");
}

TEST_F(Folders, a_task_that_names_none_has_its_own_which_goes_with_it) {
  ASSERT_TRUE(prepare_own_storage(settings.own));
  {
    const auto first = StorageFolder::open(settings, {});
    const auto second = StorageFolder::open(settings, {});
    ASSERT_TRUE(first && second);
    EXPECT_EQ(std::distance(fs::directory_iterator{settings.own}, fs::directory_iterator{}), 2);
    for (const auto& entry : fs::directory_iterator{settings.own}) {
      EXPECT_EQ(entry.status().permissions(), fs::perms::owner_all);
      root.write(entry.path() / "container" / "object", "left");
    }
  }
  EXPECT_TRUE(fs::is_empty(settings.own));
}

TEST_F(Folders, without_a_place_of_its_own_there_is_no_storage) {
  settings.own.clear();
  EXPECT_EQ(code_of(StorageFolder::open(settings, {})), "hal.unavailable");
  settings.own = root.path() / "missing";
  EXPECT_EQ(code_of(StorageFolder::open(settings, {})), "hal.io");
}

TEST_F(Folders, the_place_of_own_folders_is_made_anew_for_its_user_alone) {
  root.write("own/left/of/a/killed/worker", "x");
  ASSERT_TRUE(prepare_own_storage(settings.own));
  EXPECT_TRUE(fs::is_empty(settings.own));
  EXPECT_EQ(fs::status(settings.own).permissions(), fs::perms::owner_all);
  root.write("file", "x");
  EXPECT_EQ(code_of(prepare_own_storage(root.path() / "file" / "own")), "hal.io");
}

}  // namespace
}  // namespace coffer::workload::hal
