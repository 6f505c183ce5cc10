#include "vm/image.h"

#include <gtest/gtest.h>

#include "vm/files.h"

namespace coffer::vm {
namespace {

struct Saved {
  TemporaryDirectory directory;
  Image image;
};

Saved save() {
  auto directory = TemporaryDirectory::create();
  EXPECT_TRUE(directory);
  Image image{.kernel = {}, .initrd = {}, .command_line = "quiet", .memory_mib = 512, .kernel_release = "6.1"};
  auto saved = save_image(directory->path(), image, as_bytes("kernel"), as_bytes("initrd"));
  EXPECT_TRUE(saved) << to_string(saved.error());
  return {*std::move(directory), *std::move(saved)};
}

void expect_bad(const std::filesystem::path& directory, std::string_view text) {
  const auto result = load_image(directory);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode{VmError::bad_image});
  EXPECT_NE(result.error().message.find(text), std::string::npos) << result.error().message;
}

void rewrite(const Saved& saved, std::string_view from, std::string_view to) {
  const auto file = saved.directory.path() / "vm.json";
  auto text = to_text(read_file(file).value_or(Bytes{}));
  const auto at = text.find(from);
  ASSERT_NE(at, std::string::npos);
  text.replace(at, from.size(), to);
  ASSERT_TRUE(write_file(file, as_bytes(text)));
}

TEST(Image, is_read_as_it_was_written) {
  const auto saved = save();
  const auto read = load_image(saved.directory.path());
  ASSERT_TRUE(read) << to_string(read.error());
  EXPECT_EQ(read->command_line, "quiet");
  EXPECT_EQ(read->memory(), 512U << 20);
  EXPECT_EQ(read->kernel_release, "6.1");
  EXPECT_EQ(as_text(read_file(read->kernel).value_or(Bytes{})), "kernel");
}

TEST(Image, a_changed_file_is_refused) {
  for (const std::string name : {"vmlinuz", "initrd"}) {
    const auto saved = save();
    ASSERT_TRUE(write_file(saved.directory.path() / name, as_bytes("other")));
    expect_bad(saved.directory.path(), name + ": expected SHA-256");
  }
}

TEST(Image, a_directory_without_description_is_none) {
  const auto directory = TemporaryDirectory::create();
  ASSERT_TRUE(directory);
  expect_bad(directory->path(), "coffer vm build");
}

TEST(Image, a_description_of_another_form_is_refused) {
  auto saved = save();
  rewrite(saved, "\"version\": 1", "\"version\": 2");
  expect_bad(saved.directory.path(), "version 1");
  saved = save();
  rewrite(saved, "512", "12");
  expect_bad(saved.directory.path(), "from 64");
  saved = save();
  rewrite(saved, "{", "[");
  expect_bad(saved.directory.path(), "vm.json");
}

}  // namespace
}  // namespace coffer::vm
