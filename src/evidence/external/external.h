// TEEs that are not built in: a verifier or attester of the user's own behind a Unix socket (docs/tees/external.md).
// Evidence: {"type": "acme", "evidence": ...}. Claims stand under the type: {"acme": {...}}.
#pragma once

#include <map>
#include <memory>

#include "evidence/external/channel.h"
#include "evidence/options.h"

namespace coffer::evidence::external {

// Settings: "external_verifier": {"acme": {"socket": PATH, "timeout_ms": 5000, "peer_uid": 0}}. Error: bad_config.
Result<std::unique_ptr<Verifier>> make_verifier(TeeKind kind, const VerifierOptions& options);
// Settings: "external_attester": {"type": "acme", "socket": PATH, ...}; where they are absent, the environment's
// COFFER_EXTERNAL_ATTESTER=TYPE=PATH. no_device at the first use where neither is there.
Result<std::unique_ptr<Attester>> make_attester(TeeKind kind, const AttesterOptions& options);

std::unique_ptr<Verifier> make_verifier_over(std::map<std::string, std::unique_ptr<Channel>, std::less<>> channels);
std::unique_ptr<Attester> make_attester_over(std::string type, std::unique_ptr<Channel> channel);

}  // namespace coffer::evidence::external
