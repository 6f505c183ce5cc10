#include "vm/machine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace coffer::vm {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

std::vector<std::string> command() {
  const Image image{.kernel = "/i/vmlinuz", .initrd = "/i/initrd", .command_line = "quiet a=b", .memory_mib = 512};
  return qemu_command(image, {"/fw,1/code.fd", "/t/vars.fd", "/t/tpm.sock", "/t/output"});
}

std::string value_of(const std::string& flag) {
  const auto arguments = command();
  const auto found = std::ranges::find(arguments, flag);
  return found == arguments.end() || found + 1 == arguments.end() ? "" : *(found + 1);
}

TEST(QemuCommand, emulates_in_software_alone) {
  EXPECT_EQ(value_of("-accel"), "tcg");
  EXPECT_THAT(command(), Not(Contains(HasSubstr("kvm"))));
}

TEST(QemuCommand, hands_over_what_is_measured) {
  EXPECT_EQ(value_of("-machine"), "q35");
  EXPECT_EQ(value_of("-m"), "512");
  EXPECT_EQ(value_of("-kernel"), "/i/vmlinuz");
  EXPECT_EQ(value_of("-initrd"), "/i/initrd");
  EXPECT_EQ(value_of("-append"), "quiet a=b");
}

TEST(QemuCommand, has_no_device_of_its_own_choice_and_no_option_rom) {
  EXPECT_THAT(command(), Contains("-nodefaults"));
  EXPECT_THAT(command(), Contains(HasSubstr("romfile=")));
}

TEST(QemuCommand, hands_over_init_data_where_there_is_some) {
  EXPECT_THAT(command(), Not(Contains("-fw_cfg")));
  const Image image{.kernel = "k", .initrd = "i"};
  EXPECT_THAT(qemu_command(image, {"c", "v", "t", "o", "/i,d.toml"}),
              Contains("name=opt/org.coffer/init-data,file=/i,,d.toml"));
}

TEST(QemuCommand, doubles_commas_in_paths) {
  EXPECT_THAT(command(), Contains(HasSubstr("file=/fw,,1/code.fd")));
}

}  // namespace
}  // namespace coffer::vm
