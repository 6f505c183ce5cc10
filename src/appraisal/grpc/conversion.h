// Wire messages to requests of the attestation service, without a socket. Internal to the server.
#pragma once

#include "appraisal/attestation_service.h"

namespace attestation {
class AttestationRequest;
}

namespace coffer::appraisal::grpc {

// Errors: unknown_tee, bad_request for base64 and JSON that are none, bad_init_data, unsupported_hash.
Result<EvaluationRequest> to_request(const attestation::AttestationRequest& message);

// Policies travel as base64url without padding; padding is tolerated.
Result<std::string> to_policy_text(std::string_view base64url);

}  // namespace coffer::appraisal::grpc
