#include "vm/shared_libraries.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "vm/files.h"

namespace coffer::vm {
namespace {

void expect_bad(ErrorCode code, std::string_view message, std::string_view text) {
  EXPECT_EQ(code, ErrorCode{VmError::bad_program});
  EXPECT_NE(message.find(text), std::string_view::npos) << message;
}

TEST(LoaderList, names_are_read_with_their_places) {
  const auto libraries = parse_loader_list(
      "\tlinux-vdso.so.1 (0x00007ffd)\n\tlibz.so.1 => /lib/libz.so.1 (0x00007f00)\n\t/lib64/ld-linux-x86-64.so.2 "
      "(0x1)\n");
  ASSERT_TRUE(libraries);
  ASSERT_EQ(libraries->size(), 1U);
  EXPECT_EQ((*libraries)[0].name, "libz.so.1");
  EXPECT_EQ((*libraries)[0].path, "/lib/libz.so.1");
}

TEST(LoaderList, a_missing_library_is_named) {
  const auto libraries = parse_loader_list("\tlibnone.so.3 => not found\n");
  ASSERT_FALSE(libraries);
  expect_bad(libraries.error().code, libraries.error().message, "libnone.so.3");
}

TEST(SharedLibraries, of_this_test_are_all_there) {
  const auto needed = shared_libraries("/proc/self/exe");
  ASSERT_TRUE(needed) << to_string(needed.error());
  EXPECT_TRUE(std::filesystem::exists(needed->loader));
  EXPECT_TRUE(std::ranges::any_of(needed->libraries, [](const auto& each) { return each.name == "libc.so.6"; }));
  for (const auto& library : needed->libraries) EXPECT_FALSE(std::filesystem::is_symlink(library.path));
}

TEST(ElfInterpreter, what_is_no_program_is_refused) {
  for (const auto& text : {std::string{}, std::string{"#!/bin/sh"}, std::string(64, '\0')}) {
    const auto result = elf_interpreter(as_bytes(text));
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, ErrorCode{VmError::bad_program});
  }
}

TEST(ElfInterpreter, a_cut_program_is_refused_or_read_and_never_over_read) {
  const auto program = read_file("/proc/self/exe");
  ASSERT_TRUE(program);
  const ByteView head{program->data(), std::min<std::size_t>(program->size(), 4096)};
  for (std::size_t size = 0; size < head.size(); ++size) {
    const Bytes copy{head.begin(), head.begin() + static_cast<std::ptrdiff_t>(size)};
    (void)elf_interpreter(copy);
  }
}

}  // namespace
}  // namespace coffer::vm
