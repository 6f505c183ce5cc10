#include "workload/compiled_cache.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <fstream>

namespace coffer::workload {
namespace {

namespace fs = std::filesystem;

class CompiledCacheTest : public ::testing::Test {
 protected:
  CompiledCacheTest() {
    std::string name = ::testing::TempDir() + "coffer-cache-XXXXXX";
    directory_ = ::mkdtemp(name.data());
    cache_ = {.directory = directory_ / "cache/modules", .key_file = directory_ / "state/key"};
  }
  ~CompiledCacheTest() override { fs::remove_all(directory_); }

  fs::path directory_;
  CompiledCache cache_;
};

TEST_F(CompiledCacheTest, the_key_is_made_once_and_belongs_to_the_user_alone) {
  const auto first = open_compiled_cache(cache_);
  const auto second = open_compiled_cache(cache_);
  ASSERT_TRUE(first && second);
  EXPECT_EQ(first->key.size(), 32U);
  EXPECT_TRUE(first->key == second->key);
  struct stat status{};
  ASSERT_EQ(::stat(cache_.key_file.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
}

TEST_F(CompiledCacheTest, a_key_that_others_may_read_is_not_used) {
  ASSERT_TRUE(open_compiled_cache(cache_));
  ::chmod(cache_.key_file.c_str(), 0644);
  EXPECT_FALSE(open_compiled_cache(cache_));
}

TEST_F(CompiledCacheTest, a_key_of_another_size_is_not_used) {
  ASSERT_TRUE(open_compiled_cache(cache_));
  std::ofstream(cache_.key_file, std::ios::app) << "x";
  EXPECT_FALSE(open_compiled_cache(cache_));
}

TEST_F(CompiledCacheTest, a_link_in_place_of_the_key_is_not_followed) {
  ASSERT_TRUE(open_compiled_cache(cache_));
  fs::rename(cache_.key_file, directory_ / "elsewhere");
  fs::create_symlink(directory_ / "elsewhere", cache_.key_file);
  EXPECT_FALSE(open_compiled_cache(cache_));
}

TEST_F(CompiledCacheTest, a_folder_that_cannot_be_made_means_no_cache) {
  std::ofstream(directory_ / "cache") << "a file in the way";
  EXPECT_FALSE(open_compiled_cache(cache_));
}

}  // namespace
}  // namespace coffer::workload
