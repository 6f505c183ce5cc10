#include "vm/cpio.h"

#include <gtest/gtest.h>
#include <zstd.h>

namespace coffer::vm {
namespace {

FileTree tree() {
  FileTree out;
  EXPECT_TRUE(out.add_file("bin/tool", as_bytes("abc"), true));
  EXPECT_TRUE(out.add_link("bin/sh", "tool"));
  EXPECT_TRUE(out.add_character_device("dev/console", 5, 1));
  return out;
}

std::string archive(const FileTree& files) {
  const auto result = write_cpio(files);
  EXPECT_TRUE(result) << to_string(result.error());
  return to_text(result.value_or(Bytes{}));
}

// Field by field as the kernel's buffer-format document lays it out.
TEST(Cpio, entries_are_as_the_format_says) {
  FileTree one;
  ASSERT_TRUE(one.add_file("a", as_bytes("xyz")));
  const std::string expected =
      "070701"
      "00000001"
      "000081A4"
      "00000000"
      "00000000"
      "00000001"
      "00000000"
      "00000003"
      "00000000"
      "00000000"
      "00000000"
      "00000000"
      "00000002"
      "00000000"
      "a" +
      std::string(1, '\0') + "xyz" + std::string(1, '\0');
  EXPECT_EQ(archive(one).substr(0, expected.size()), expected);
}

TEST(Cpio, devices_carry_their_numbers) {
  const auto text = archive(tree());
  const auto at = text.find("dev/console");
  ASSERT_NE(at, std::string::npos);
  EXPECT_EQ(text.substr(at - 110 + 6 + 9 * 8, 16), "0000000500000001");
}

TEST(Cpio, everything_is_aligned_and_ended) {
  const auto text = archive(tree());
  EXPECT_EQ(text.size() % 4, 0U);
  EXPECT_NE(text.find("TRAILER!!!"), std::string::npos);
}

TEST(Cpio, the_same_tree_gives_the_same_bytes_in_whatever_order_it_was_made) {
  FileTree other;
  ASSERT_TRUE(other.add_character_device("dev/console", 5, 1));
  ASSERT_TRUE(other.add_link("bin/sh", "tool"));
  ASSERT_TRUE(other.add_file("bin/tool", as_bytes("abc"), true));
  EXPECT_EQ(archive(tree()), archive(other));
}

TEST(Cpio, one_byte_more_is_another_archive) {
  auto other = tree();
  ASSERT_TRUE(other.add_file("bin/tool", as_bytes("abcd"), true));
  EXPECT_NE(archive(tree()), archive(other));
}

TEST(Initrd, settings_stay_legible_and_the_rest_is_compressed) {
  auto files = tree();
  ASSERT_TRUE(files.add_file("etc/setting", as_bytes("legible")));
  ASSERT_TRUE(files.add_file("lib/large", Bytes(100'000, std::byte{'x'})));
  const auto result = make_initrd(files);
  ASSERT_TRUE(result);
  const auto text = to_text(*result);
  const auto end = text.find("TRAILER!!!");
  EXPECT_LT(text.find("legible"), end);
  EXPECT_LT(text.find("bin/tool"), end);
  EXPECT_LT(text.size(), 10'000U);
  EXPECT_EQ(make_initrd(files).value_or(Bytes{}), *result);
}

TEST(Compress, is_the_same_each_time_and_can_be_undone) {
  const Bytes data(100'000, std::byte{7});
  const auto first = compress(data);
  const auto second = compress(data);
  ASSERT_TRUE(first && second);
  EXPECT_EQ(*first, *second);
  EXPECT_LT(first->size(), 1000U);
  Bytes back(data.size());
  EXPECT_EQ(ZSTD_decompress(back.data(), back.size(), first->data(), first->size()), data.size());
  EXPECT_EQ(back, data);
}

}  // namespace
}  // namespace coffer::vm
