// The sections of a broker's configuration, each in all its generations (trustee.md 8 and 8.1).
#pragma once

#include "keybroker/config.h"
#include "keybroker/detail/config_reader.h"

namespace coffer::keybroker::detail {

// [http_server], or the same keys at top level (to v0.10).
Result<> read_http(ConfigTable& root, HttpConfig& http);
// [admin] of v0.11, v0.16 and v0.21, or auth_public_key and insecure_api at top level (to v0.10). Unknown keys are
// errors there, as upstream has them: a misspelt restriction must not be skipped.
Result<> read_admin(ConfigTable& root, AdminConfig& admin);
// [attestation_service], or [as_config] and [grpc_config] (to v0.10); attestation_type wherever it stands.
Result<> read_attestation(ConfigTable& root, Config& config);
// [attestation_token], or [attestation_token_config] (to v0.10).
Result<> read_token_trust(ConfigTable& root, TokenTrustConfig& trust);
// [storage_backend] and session_storage_type.
Result<> read_storage(ConfigTable& root, Config& config);
// [[plugins]], or [repository_config] (to v0.10); [policy_engine] or [policy_engine_config].
Result<> read_resources(ConfigTable& root, Config& config);
// [coffer], ours.
Result<> read_coffer(ConfigTable& root, CofferConfig& coffer);

}  // namespace coffer::keybroker::detail
