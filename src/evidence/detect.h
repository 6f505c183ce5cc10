// Which TEE this program runs in, by what upstream's attesters look for and in their order (guest-components.md 2.3). A
// machine that could start guests of a TEE (an AMD host with /dev/sev, a machine with /dev/sgx_enclave) is none itself.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "evidence/tee.h"

namespace coffer::evidence {

struct Machine;  // evidence/detect/machine.h

// One TEE of which the machine shows something.
struct TeeFinding {
  TeeKind kind;
  bool taken;          // this program runs in one; of a TPM: the machine has one
  std::string device;  // what shows it, "/dev/tdx_guest"
  std::string reason;  // why it was not taken, or what its user should know; may be empty where it was taken
};

struct DetectedTee {
  TeeKind kind;
  std::string device;
};

// Everything that was looked at and found, in upstream's order; Nitro, which upstream does not know, comes before a
// plain TPM, which most confidential machines have as well. The sample TEE is never among them.
std::vector<TeeFinding> survey_tees(const Machine& machine);
std::vector<TeeFinding> survey_tees(const std::filesystem::path& root = "/");

// Those that were taken: the first is what an agent would use. `root` stands for "/" in tests; below another root the
// processor is not asked.
std::vector<DetectedTee> detect_tees(const std::filesystem::path& root = "/");
std::optional<DetectedTee> detect_tee(const std::filesystem::path& root = "/");

// "sgx: not taken, /dev/sgx_enclave: ...": one line a finding, for people.
std::string to_text(const TeeFinding& finding);

}  // namespace coffer::evidence
