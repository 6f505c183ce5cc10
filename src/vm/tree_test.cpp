#include "vm/tree.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "codec/base64.h"

namespace coffer::vm {
namespace {

void expect_bad_path(const Result<>& result) {
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode{VmError::bad_path});
}

TEST(FileTree, directories_above_are_made) {
  FileTree tree;
  ASSERT_TRUE(tree.add_file("usr/bin/a", as_bytes("x"), true));
  EXPECT_TRUE(S_ISDIR(tree.nodes().at("usr").mode));
  EXPECT_TRUE(S_ISDIR(tree.nodes().at("usr/bin").mode));
  EXPECT_EQ(tree.nodes().at("usr/bin/a").mode, S_IFREG | 0755U);
}

TEST(FileTree, the_same_kind_is_replaced) {
  FileTree tree;
  ASSERT_TRUE(tree.add_file("a", as_bytes("1")));
  ASSERT_TRUE(tree.add_file("a", as_bytes("2")));
  EXPECT_EQ(as_text(tree.nodes().at("a").content), "2");
}

TEST(FileTree, a_file_is_no_directory) {
  FileTree tree;
  ASSERT_TRUE(tree.add_file("a", {}));
  expect_bad_path(tree.add_file("a/b", {}));
  expect_bad_path(tree.add_link("a", "b"));
}

TEST(FileTree, paths_that_lead_elsewhere_are_refused) {
  FileTree tree;
  for (const std::string path : {"", "/a", "a/", "a//b", "../a", "a/../b", "./a"})
    expect_bad_path(tree.add_file(path, {}));
  expect_bad_path(tree.add_file(std::string("a\0b", 3), {}));
  expect_bad_path(tree.add_file(std::string(5000, 'a'), {}));
  EXPECT_TRUE(tree.nodes().empty());
}

}  // namespace
}  // namespace coffer::vm
