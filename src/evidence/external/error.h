// Why an external verifier's or attester's answer is not taken. What it binds has EvidenceError's codes.
#pragma once

#include "base/result.h"

namespace coffer::evidence::external {

enum class ExternalError {
  bad_type,      // a type that is no name, or the name of a TEE of ours
  unknown_type,  // external_verifier names no socket for this type
  unreachable,   // nobody answers at the socket
  wrong_peer,    // the process at the socket runs as another user than the one expected
  timeout,       // no whole answer in time
  bad_answer,    // an answer that is too long, no JSON, of another version, request or type, or not of the protocol
  refused,       // the external verifier refuses the evidence; the text has its own code and words
};
std::string_view code_name(ExternalError code);

}  // namespace coffer::evidence::external
