#include "fleet/sealed/key_file.h"

#include <gtest/gtest.h>

#include "fleet/sealed/sealed_testing.h"
#include "testing/temporary_directory.h"

namespace coffer::fleet::sealed {
namespace {

using namespace testing;

class KeyFileTest : public ::testing::Test {
 protected:
  void write(std::initializer_list<std::string_view> keys, mode_t mode = 0600) {
    // As the command line does: a new file takes the old one's place.
    directory_.write("new", as_text(keys_with(keys).document().expose()));
    ASSERT_EQ(::chmod((directory_.path() / "new").c_str(), mode), 0);
    std::filesystem::rename(directory_.path() / "new", path_);
  }
  std::string_view code(const Result<std::optional<GroupKeys>>& read) {
    return read ? *read ? "keys" : "the same" : read.error().code.name();
  }

  TemporaryDirectory directory_;
  std::filesystem::path path_ = directory_.path() / "keys.json";
  KeyFile file_{path_};
};

TEST_F(KeyFileTest, is_read_again_when_it_changes) {
  write({key_one});
  EXPECT_EQ(file_.read_if_changed().value()->all()[0].id, "one");
  EXPECT_EQ(code(file_.read_if_changed()), "the same");
  write({key_two, key_one});
  EXPECT_EQ(file_.read_if_changed().value()->all().size(), 2U);
  EXPECT_EQ(code(file_.read_if_changed()), "the same");
}

TEST_F(KeyFileTest, that_others_may_read_is_refused_once_and_taken_when_it_is_mended) {
  for (const mode_t mode : {0640, 0604, 0660}) {
    write({key_one}, mode);
    EXPECT_EQ(code(file_.read_if_changed()), "sealed.exposed_key_file") << mode;
    EXPECT_EQ(code(file_.read_if_changed()), "the same");
  }
  ASSERT_EQ(::chmod(path_.c_str(), 0600), 0);
  EXPECT_EQ(code(file_.read_if_changed()), "keys");
}

TEST_F(KeyFileTest, that_is_not_there_is_said_once) {
  EXPECT_EQ(code(file_.read_if_changed()), "sealed.unreadable_key_file");
  EXPECT_EQ(code(file_.read_if_changed()), "the same");
  write({key_one});
  EXPECT_EQ(code(file_.read_if_changed()), "keys");
  std::filesystem::remove(path_);
  EXPECT_EQ(code(file_.read_if_changed()), "sealed.unreadable_key_file");
}

TEST_F(KeyFileTest, that_is_no_list_of_keys_is_refused) {
  directory_.write("keys.json", "{}");
  ASSERT_EQ(::chmod(path_.c_str(), 0600), 0);
  EXPECT_EQ(code(file_.read_if_changed()), "sealed.bad_key_list");
  directory_.write("keys.json", std::string(100'000, ' '));
  EXPECT_EQ(code(file_.read_if_changed()), "sealed.unreadable_key_file");
  EXPECT_EQ(read_key_file(directory_.path()).error().code, SealedError::unreadable_key_file);
}

}  // namespace
}  // namespace coffer::fleet::sealed
