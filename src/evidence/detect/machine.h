// What detection asks a machine, so that tests can make up any.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "evidence/device/configfs_tsm.h"

namespace coffer::evidence {

struct Processor {
  std::string architecture{};       // as uname says: "x86_64", "aarch64", "s390x"
  bool hypervisor = false;          // CPUID leaf 1, ECX bit 31: the program runs above one
  std::string hypervisor_vendor{};  // CPUID leaf 0x40000000: "KVMKVMKVM", "Microsoft Hv"
  bool trust_domain = false;        // CPUID leaf 0x21: "IntelTDX    "
};
Processor this_processor();

struct Machine {
  std::filesystem::path root = "/";
  std::optional<Processor> processor{};  // nothing: not known, and nothing is concluded from it
  std::function<std::optional<std::string>(const char*)> environment{};
  device::TsmFilesystem* tsm = nullptr;
  // NV index 0x01400001 of the machine's TPM, where Azure's paravisor lays its report. Asked on Microsoft's hypervisor
  // alone: it opens the TPM.
  std::function<Result<Bytes>()> paravisor_report{};

  bool has(std::string_view file) const;
  // The first line, at most 256 bytes; empty where the file cannot be read.
  std::string first_line(std::string_view file) const;
};

// The machine below `root`; its processor is asked where that is "/".
Machine this_machine(const std::filesystem::path& root = "/");

}  // namespace coffer::evidence
