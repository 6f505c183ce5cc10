// QEMU's command line for a machine: software emulation, OVMF, a TPM, user-mode network. Prediction of its measurements
// (evidence/measure/vm.h) holds for exactly this machine.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "vm/image.h"

namespace coffer::vm {

struct Firmware {
  std::filesystem::path code = "/usr/share/OVMF/OVMF_CODE_4M.fd";
  std::filesystem::path variables = "/usr/share/OVMF/OVMF_VARS_4M.fd";  // copied for each boot
};

struct MachineFiles {
  std::filesystem::path firmware_code;
  std::filesystem::path firmware_variables;  // writable
  std::filesystem::path tpm_socket;          // swtpm's control channel
  std::filesystem::path output;              // where the second serial port writes
  std::filesystem::path init_data{};         // handed over at the start, by fw_cfg; empty: none
};

// argv; the first serial port is on standard output.
std::vector<std::string> qemu_command(const Image& image, const MachineFiles& files);

}  // namespace coffer::vm
