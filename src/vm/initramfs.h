// The initramfs of a machine that runs one command: our guest programs with what they need, and nothing else.
#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "vm/kernel.h"
#include "vm/tree.h"

namespace coffer::vm {

struct InitramfsOptions {
  std::vector<std::filesystem::path> programs;                         // into /usr/bin, with their shared libraries
  std::vector<std::string> command;                                    // argv of the one command
  std::vector<std::string> modules{};                                  // beyond those of the network and of init-data
  std::vector<std::pair<std::filesystem::path, std::string>> files{};  // from here, to there
  std::filesystem::path busybox = "/usr/bin/busybox";
  std::filesystem::path certificates = "/etc/ssl/certs/ca-certificates.crt";  // left out where it is absent
};

// usage for an empty command; bad_program, no_kernel, no_tool, file.
Result<FileTree> make_initramfs(const Kernel& kernel, const InitramfsOptions& options);

// A script that replaces itself by that command.
std::string command_script(const std::vector<std::string>& command);

}  // namespace coffer::vm
