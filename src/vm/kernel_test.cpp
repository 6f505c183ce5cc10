#include "vm/kernel.h"

#include <gtest/gtest.h>

#include "vm/files.h"

namespace coffer::vm {
namespace {

class KernelTest : public ::testing::Test {
 protected:
  KernelTest() : directory_(*TemporaryDirectory::create()) {}
  void add_release(const std::string& release) {
    ASSERT_TRUE(make_directories(root() / "boot"));
    ASSERT_TRUE(make_directories(root() / "lib/modules" / release / "kernel"));
    ASSERT_TRUE(write_file(root() / "boot" / ("vmlinuz-" + release), as_bytes("kernel")));
  }
  void add_module(const std::string& name, const std::string& depends) {
    const auto text = std::string{"ELF"} + '\0' + "depends=" + depends + '\0' + "name=x" + '\0';
    ASSERT_TRUE(write_file(root() / "lib/modules/6.1/kernel" / (name + ".ko"), as_bytes(text)));
  }
  Result<std::vector<std::string>> order(std::vector<std::string> names) {
    const auto kernel = TRY(find_kernel(root()));
    std::vector<std::string> out;
    for (const auto& module : TRY(load_order(kernel, names))) out.push_back(module.name);
    return out;
  }
  const std::filesystem::path& root() const { return directory_.path(); }

 private:
  TemporaryDirectory directory_;
};

TEST_F(KernelTest, the_newest_release_with_modules_is_found_by_its_numbers) {
  add_release("6.1.0-9-cloud-amd64");
  add_release("6.1.0-56-cloud-amd64");
  ASSERT_TRUE(write_file(root() / "boot/vmlinuz-7.0", as_bytes("without modules")));
  const auto kernel = find_kernel(root());
  ASSERT_TRUE(kernel) << to_string(kernel.error());
  EXPECT_EQ(kernel->release, "6.1.0-56-cloud-amd64");
}

TEST_F(KernelTest, a_folder_without_kernel_is_refused) {
  const auto kernel = find_kernel(root());
  ASSERT_FALSE(kernel);
  EXPECT_EQ(kernel.error().code, ErrorCode{VmError::no_kernel});
}

TEST_F(KernelTest, modules_come_after_what_they_depend_on_and_once) {
  add_release("6.1");
  add_module("net", "core,bus-lib");
  add_module("core", "");
  add_module("bus-lib", "core");
  EXPECT_EQ(order({"net", "core"}).value_or(std::vector<std::string>{}),
            (std::vector<std::string>{"core", "bus_lib", "net"}));
}

TEST_F(KernelTest, modules_that_depend_on_each_other_end) {
  add_release("6.1");
  add_module("a", "b");
  add_module("b", "a");
  EXPECT_EQ(order({"a"}).value_or(std::vector<std::string>{}), (std::vector<std::string>{"b", "a"}));
}

TEST_F(KernelTest, a_module_that_is_no_file_is_named) {
  add_release("6.1");
  const auto result = order({"absent"});
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode{VmError::no_kernel});
  EXPECT_NE(result.error().message.find("absent.ko"), std::string::npos);
}

}  // namespace
}  // namespace coffer::vm
