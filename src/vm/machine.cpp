#include "vm/machine.h"

namespace coffer::vm {

namespace {

// In an option's list of properties a comma ends the value; two stand for one.
std::string value_of(const std::filesystem::path& path) {
  std::string out;
  for (const char c : path.string()) out += c == ',' ? std::string{",,"} : std::string{c};
  return out;
}

}  // namespace

std::vector<std::string> qemu_command(const Image& image, const MachineFiles& files) {
  std::vector<std::string> out{
      "qemu-system-x86_64",
      // Never /dev/kvm: what is shown here must be shown on any machine.
      "-accel", "tcg", "-machine", "q35", "-cpu", "max", "-m", std::to_string(image.memory_mib), "-nodefaults",
      "-no-user-config", "-no-reboot", "-display", "none", "-drive",
      "if=pflash,format=raw,readonly=on,file=" + value_of(files.firmware_code), "-drive",
      "if=pflash,format=raw,file=" + value_of(files.firmware_variables), "-kernel", image.kernel.string(), "-initrd",
      image.initrd.string(), "-append", image.command_line, "-chardev",
      "socket,id=tpm-channel,path=" + value_of(files.tpm_socket), "-tpmdev", "emulator,id=tpm,chardev=tpm-channel",
      "-device", "tpm-tis,tpmdev=tpm", "-chardev", "stdio,id=console,signal=off", "-serial", "chardev:console",
      "-chardev", "file,id=output,path=" + value_of(files.output), "-serial", "chardev:output",
      // Without an option ROM, which firmware would measure into PCR 2.
      "-netdev", "user,id=network", "-device", "virtio-net-pci,netdev=network,romfile="};
  // Names below opt/ are the users' own (QEMU's docs/specs/fw_cfg).
  if (!files.init_data.empty()) {
    out.insert(out.end(), {"-fw_cfg", "name=opt/org.coffer/init-data,file=" + value_of(files.init_data)});
  }
  return out;
}

}  // namespace coffer::vm
