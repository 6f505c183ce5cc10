// Upstream's attestation service over gRPC (`coco_as_grpc`, trustee.md 6.1).
#pragma once

#include <memory>
#include <string>

#include "appraisal/attestation_service.h"
#include "base/clock.h"
#include "crypto/random.h"

namespace coffer::appraisal::grpc {

struct ClientOptions {
  std::string address = "http://127.0.0.1:50004";  // http:// or https:// (system roots), or bare host:port
  Duration timeout = std::chrono::seconds{300};    // of one call; upstream's value
  std::string extra_root_pem{};                    // for https, instead of the system's
  crypto::RandomSource& random = crypto::system_random();
};

// Connects lazily: an unreachable service is AppraisalError::unavailable at the first call. Policies cannot be listed,
// read back or deleted there, nor reference values listed or deleted: not_supported.
Result<std::shared_ptr<AttestationService>> make_client(const ClientOptions& options);

}  // namespace coffer::appraisal::grpc
