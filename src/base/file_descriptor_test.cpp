#include "base/file_descriptor.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <cerrno>
#include <filesystem>
#include <fstream>

namespace coffer {
namespace {

namespace fs = std::filesystem;

struct OpenBeneath : testing::Test {
  OpenBeneath() {
    std::string name = (fs::temp_directory_path() / "coffer-beneath-XXXXXX").string();
    folder = ::mkdtemp(name.data());
    fs::create_directories(folder / "root/inner");
    std::ofstream(folder / "outside") << "x";
    std::ofstream(folder / "root/inner/file") << "x";
    root = FileDescriptor{::open((folder / "root").c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  }
  ~OpenBeneath() override { fs::remove_all(folder); }

  int error_of(const char* path) const { return open_beneath(root.get(), path, O_RDONLY) ? 0 : errno; }

  fs::path folder;
  FileDescriptor root;
};

TEST_F(OpenBeneath, opens_what_lies_below) {
  fs::create_symlink("inner/file", folder / "root/link");
  for (const auto* path : {"inner/file", "inner/../inner/file", "link", "."}) EXPECT_EQ(error_of(path), 0) << path;
  EXPECT_EQ(error_of("absent"), ENOENT);
}

TEST_F(OpenBeneath, does_not_leave_the_directory) {
  fs::create_symlink("../outside", folder / "root/link");
  fs::create_symlink(folder / "root/inner/file", folder / "root/absolute");
  const auto absolute = (folder / "root/inner/file").string();
  for (const auto* path : {"../outside", "inner/../../outside", "link", "absolute", absolute.c_str()}) {
    EXPECT_EQ(error_of(path), EXDEV) << path;
  }
}

TEST_F(OpenBeneath, creates_with_the_mode_given_and_closes_on_exec) {
  const auto made = open_beneath(root.get(), "new", O_WRONLY | O_CREAT | O_EXCL, 0600);
  ASSERT_TRUE(made);
  EXPECT_EQ(fs::status(folder / "root/new").permissions(), fs::perms::owner_read | fs::perms::owner_write);
  EXPECT_NE(::fcntl(made.get(), F_GETFD) & FD_CLOEXEC, 0);
}

TEST(FileDescriptor, is_closed_once_when_it_goes) {
  int number = -1;
  {
    FileDescriptor first{::open("/dev/null", O_RDONLY | O_CLOEXEC)};
    number = first.get();
    const FileDescriptor second = std::move(first);
    EXPECT_FALSE(first);  // NOLINT(bugprone-use-after-move)
    EXPECT_EQ(second.get(), number);
  }
  EXPECT_EQ(::fcntl(number, F_GETFD), -1);
}

}  // namespace
}  // namespace coffer
