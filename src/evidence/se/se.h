// IBM Secure Execution guests: read and named, never accepted. Verifying takes the private key of the attestation
// request, the host key documents and the image header, which upstream's verifier is given by SE_* variables.
#pragma once

#include <memory>

#include "evidence/options.h"

namespace coffer::evidence::se {

// verify() is malformed or not_supported.
Result<std::unique_ptr<Verifier>> make_verifier(TeeKind kind, const VerifierOptions& options);

// Upstream's response, all in base64.
struct Evidence {
  Bytes measurement{};
  Bytes additional_data{};
  Bytes user_data{};
  Bytes cuid{};  // 16 bytes: the configuration's unique id
  Bytes encr_measurement_key{};
  Bytes encr_request_nonce{};
  // Page list, address list, tweak list (64 bytes each) and tag (16 bytes) of the image's header.
  Bytes image_hdr_tags{};
};
Result<Evidence> parse_evidence(const codec::json::Value& evidence);

}  // namespace coffer::evidence::se
