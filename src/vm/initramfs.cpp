#include "vm/initramfs.h"

#include "vm/files.h"
#include "vm/guest_files.h"
#include "vm/shared_libraries.h"

namespace coffer::vm {

namespace fs = std::filesystem;

namespace {

// Where Debian's loader looks without a cache.
constexpr std::string_view library_directory = "lib/x86_64-linux-gnu/";
// Loaded at run time by name: the TPM's software stack and its channel to a device.
constexpr std::string_view loaded_by_name[] = {"libtss2-esys.so.0", "libtss2-tctildr.so.0", "libtss2-tcti-device.so.0"};

Result<> add_copy(FileTree& tree, const fs::path& from, const std::string& to, bool executable) {
  return tree.add_file(to, TRY(read_file(from)), executable);
}

Result<> add_libraries(FileTree& tree, const std::vector<SharedLibrary>& libraries) {
  for (const auto& library : libraries) {
    TRY(add_copy(tree, library.path, std::string{library_directory} + library.name, true));
  }
  return {};
}

Result<> add_program(FileTree& tree, const fs::path& program, const std::string& to) {
  TRY(add_copy(tree, program, to, true));
  const auto needed = TRY(shared_libraries(program));
  if (needed.loader.empty()) return {};
  TRY(add_copy(tree, needed.loader, needed.loader.substr(1), true));
  return add_libraries(tree, needed.libraries);
}

// Those of `loaded_by_name` that this machine has; a program that misses one says so when it needs it.
Result<> add_loaded_by_name(FileTree& tree) {
  for (const auto each : loaded_by_name) {
    const std::string name{each};
    std::error_code failure;
    const auto place = fs::canonical(fs::path{"/"} / library_directory / name, failure);
    if (failure) continue;
    TRY(add_libraries(tree, {{name, place}}));
    TRY(add_libraries(tree, TRY(library_dependencies(place))));
  }
  return {};
}

Result<> add_modules(FileTree& tree, const Kernel& kernel, const std::vector<std::string>& more) {
  std::vector<std::string> names{"virtio_pci", "virtio_net", "qemu_fw_cfg"};
  names.insert(names.end(), more.begin(), more.end());
  std::string list;
  for (const auto& module : TRY(load_order(kernel, names))) {
    TRY(tree.add_file("lib/modules/" + module.name + ".ko", module.content));
    list += module.name + "\n";
  }
  return tree.add_file("etc/coffer/modules", as_bytes(list));
}

Result<> add_settings(FileTree& tree) {
  const auto text = [&](const std::string& path, std::string_view content) {
    return tree.add_file(path, as_bytes(content));
  };
  TRY(text("etc/hosts", "127.0.0.1 localhost\n10.0.2.2 host\n"));
  TRY(text("etc/resolv.conf", "nameserver 10.0.2.3\n"));
  TRY(text("etc/nsswitch.conf", "passwd: files\nhosts: files dns\n"));
  TRY(text("etc/passwd", "root:x:0:0:root:/root:/bin/sh\n"));
  TRY(text("etc/group", "root:x:0:\n"));
  for (const std::string directory : {"dev", "proc", "sys", "tmp", "run", "root", "var"}) {
    TRY(tree.add_directory(directory));
  }
  // The kernel gives process 1 its standard streams from here, before anything is mounted.
  return tree.add_character_device("dev/console", 5, 1);
}

Result<> add_busybox(FileTree& tree, const fs::path& busybox) {
  auto content = read_file(busybox);
  if (!content || !TRY(elf_interpreter(*content)).empty()) {
    return fail(VmError::no_tool, busybox.string() +
                                      " is no static program; Debian's package busybox-static has it (`./run setup` "
                                      "installs it)");
  }
  TRY(tree.add_file("bin/busybox", *content, true));
  return tree.add_link("bin/sh", "busybox");
}

}  // namespace

std::string command_script(const std::vector<std::string>& command) {
  std::string out = "#!/bin/sh\nexec";
  for (const auto& argument : command) {
    out += " '";
    for (const char c : argument) out += c == '\'' ? std::string{"'\\''"} : std::string{c};
    out += "'";
  }
  return out + "\n";
}

Result<FileTree> make_initramfs(const Kernel& kernel, const InitramfsOptions& options) {
  if (options.command.empty()) return fail(VmError::usage, "a command for the machine to run is expected");
  FileTree tree;
  TRY(add_busybox(tree, options.busybox));
  TRY(add_settings(tree));
  TRY(add_modules(tree, kernel, options.modules));
  for (const auto& program : options.programs)
    TRY(add_program(tree, program, "usr/bin/" + program.filename().string()));
  if (!options.programs.empty()) TRY(add_loaded_by_name(tree));
  std::error_code failure;
  if (fs::exists(options.certificates, failure)) {
    TRY(add_copy(tree, options.certificates, "etc/ssl/certs/ca-certificates.crt", false));
  }
  for (const auto& [from, to] : options.files) TRY(add_copy(tree, from, to, false));
  TRY(tree.add_file("etc/coffer/run", as_bytes(command_script(options.command)), true));
  TRY(tree.add_file("init", as_bytes(guest_init_sh), true));
  return tree;
}

}  // namespace coffer::vm
