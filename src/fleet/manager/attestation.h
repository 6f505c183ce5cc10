// What a worker has proven of its TEE, and until when that counts. Its word alone counts for nothing (fleet/trust).
#pragma once

#include <optional>
#include <string>

#include "fleet/manager/error.h"
#include "fleet/trust/worker_trust.h"

namespace coffer::fleet::manager {

struct VerifiedTee {
  std::string tee;  // "tdx", "simulated:snp"
  TimePoint token_expires{};
  TimePoint proven_at{};  // when its proof came
};

class AttestationChecker {
 public:
  // Without `trust` nobody can prove anything. A proof counts for `proof_lifetime` after it came.
  explicit AttestationChecker(std::optional<WorkerTrust> trust, Duration proof_lifetime = std::chrono::seconds{60})
      : trust_(std::move(trust)), proof_lifetime_(proof_lifetime) {}

  // The message is for the task that waits. ManagerError::no_eligible_worker.
  Result<VerifiedTee> check(std::string_view proplet_id, const std::optional<Capabilities>& capabilities,
                            TimePoint now) const;
  // Whether what was verified then still counts now.
  Result<> still_valid(const VerifiedTee& tee, TimePoint now) const;

 private:
  std::optional<WorkerTrust> trust_;
  Duration proof_lifetime_;
};

}  // namespace coffer::fleet::manager
