#include "vm/initramfs.h"

#include <gtest/gtest.h>

#include "vm/cpio.h"
#include "vm/files.h"

namespace coffer::vm {
namespace {

// A kernel with the modules that each machine loads, and a static program in busybox's place.
class InitramfsTest : public ::testing::Test {
 protected:
  InitramfsTest() : directory_(*TemporaryDirectory::create()) {
    const auto modules = root() / "lib/modules/6.1";
    EXPECT_TRUE(make_directories(modules));
    for (const std::string name : {"virtio_pci", "virtio_net", "qemu_fw_cfg"}) {
      EXPECT_TRUE(write_file(modules / (name + ".ko"), as_bytes("module")));
    }
    EXPECT_TRUE(write_file(root() / "busybox", static_program()));
    EXPECT_TRUE(write_file(root() / "own", as_bytes("content")));
  }
  static Bytes static_program() {
    Bytes out(64);
    const std::string_view magic =
        "\x7f"
        "ELF\x02\x01\x01";
    for (std::size_t i = 0; i < magic.size(); ++i) out[i] = static_cast<std::byte>(magic[i]);
    out[18] = std::byte{62};  // EM_X86_64
    return out;
  }
  Result<FileTree> make(const InitramfsOptions& options) const {
    return make_initramfs({"6.1", root() / "boot/vmlinuz-6.1", root() / "lib/modules/6.1"}, options);
  }
  InitramfsOptions options() const {
    return {.programs = {}, .command = {"true"}, .busybox = root() / "busybox", .certificates = root() / "none"};
  }
  const std::filesystem::path& root() const { return directory_.path(); }

 private:
  TemporaryDirectory directory_;
};

TEST_F(InitramfsTest, holds_what_a_boot_needs) {
  const auto tree = make(options());
  ASSERT_TRUE(tree) << to_string(tree.error());
  for (const std::string path : {"init", "bin/busybox", "bin/sh", "dev/console", "proc", "sys", "etc/coffer/run",
                                 "etc/resolv.conf", "lib/modules/virtio_net.ko"}) {
    EXPECT_TRUE(tree->contains(path)) << path;
  }
  EXPECT_EQ(as_text(tree->nodes().at("etc/coffer/modules").content), "virtio_pci\nvirtio_net\nqemu_fw_cfg\n");
  EXPECT_TRUE(as_text(tree->nodes().at("init").content).starts_with("#!/bin/busybox sh\n"));
}

TEST_F(InitramfsTest, a_program_brings_its_loader_and_libraries) {
  auto with_program = options();
  with_program.programs = {std::filesystem::canonical("/proc/self/exe")};
  const auto tree = make(with_program);
  ASSERT_TRUE(tree) << to_string(tree.error());
  EXPECT_TRUE(tree->contains("usr/bin/" + with_program.programs[0].filename().string()));
  EXPECT_TRUE(tree->contains("lib64/ld-linux-x86-64.so.2"));
  EXPECT_TRUE(tree->contains("lib/x86_64-linux-gnu/libc.so.6"));
}

TEST_F(InitramfsTest, files_and_certificates_are_copied) {
  auto with_files = options();
  with_files.files = {{root() / "own", "etc/own"}};
  with_files.certificates = root() / "own";
  const auto tree = make(with_files);
  ASSERT_TRUE(tree) << to_string(tree.error());
  EXPECT_EQ(as_text(tree->nodes().at("etc/own").content), "content");
  EXPECT_TRUE(tree->contains("etc/ssl/certs/ca-certificates.crt"));
}

TEST_F(InitramfsTest, the_same_inputs_give_the_same_bytes) {
  const auto archive = [&] { return make_initrd(*make(options())).value_or(Bytes{}); };
  EXPECT_EQ(archive(), archive());
}

TEST_F(InitramfsTest, the_command_decides_the_bytes) {
  auto other = options();
  other.command = {"false"};
  EXPECT_NE(write_cpio(*make(options())).value_or(Bytes{}), write_cpio(*make(other)).value_or(Bytes{}));
}

TEST_F(InitramfsTest, needs_a_command_and_a_static_busybox) {
  auto none = options();
  none.command.clear();
  const auto result = make(none);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode{VmError::usage});
  auto dynamic = options();
  dynamic.busybox = "/proc/self/exe";
  const auto refused = make(dynamic);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode{VmError::no_tool});
  EXPECT_NE(refused.error().message.find("busybox-static"), std::string::npos);
}

TEST_F(InitramfsTest, a_file_that_is_absent_is_named) {
  auto absent = options();
  absent.files = {{root() / "absent", "etc/absent"}};
  const auto result = make(absent);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode{VmError::file});
}

TEST(CommandScript, quotes_each_argument) {
  EXPECT_EQ(command_script({"a", "b c", "it's", "$x"}), "#!/bin/sh\nexec 'a' 'b c' 'it'\\''s' '$x'\n");
}

}  // namespace
}  // namespace coffer::vm
