// Which TEE hardware this machine shows, by the files upstream's attesters look for (guest-components.md 2.3).
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "evidence/tee.h"

namespace coffer::evidence {

struct DetectedTee {
  TeeKind kind;
  std::string device;  // the file that shows it, "/dev/tdx_guest"
};

// All that are present, in upstream's order: the first is what an agent would use. Nothing is opened for writing, and
// the sample TEE is never among them. `root` stands for "/" in tests.
std::vector<DetectedTee> detect_tees(const std::filesystem::path& root = "/");
std::optional<DetectedTee> detect_tee(const std::filesystem::path& root = "/");

}  // namespace coffer::evidence
