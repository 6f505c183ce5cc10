// The emulated TPM of a machine: swtpm on a directory of state. It keeps its keys as long as its directory is kept, and
// is as trustworthy as the host that can read them.
#pragma once

#include <filesystem>

#include "crypto/keys.h"
#include "vm/child.h"

namespace coffer::vm {

// Makes the state of a new TPM with SHA-256 registers and an attestation key, whose public half is returned and written
// to ak.pem beside the state. Enrolling that key is what makes quotes of this TPM count. usage where `directory` holds
// a TPM already.
Result<crypto::PublicKey> create_tpm(const std::filesystem::path& directory);
// The key that create_tpm() wrote.
Result<crypto::PublicKey> attestation_key(const std::filesystem::path& directory);

// A TPM at work for one boot; it ends with the machine's connection, or with its owner.
class RunningTpm {
 public:
  // `socket` is made. bad_tpm where the state is not usable; another machine may be using it.
  static Result<RunningTpm> start(const std::filesystem::path& state, const std::filesystem::path& socket);

 private:
  explicit RunningTpm(Child child) : child_(std::move(child)) {}
  Child child_;
};

}  // namespace coffer::vm
