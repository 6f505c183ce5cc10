// What command line, aa-config and environment say together, and which of them wins: a flag over the file, the file
// over AA_KBC_PARAMS.
#pragma once

#include <optional>
#include <string_view>

#include "codec/resource_uri.h"
#include "guest/runner.h"
#include "workload/key_settings.h"

namespace coffer::guest::detail {

struct Settings : workload::KeySettings {
  bool issuer_by_flag = false;
  bool expect_encrypted = false;               // by flag, or because a key was named
  std::optional<codec::ResourceUri> key_id{};  // by flag
};

// `kbc_params`: the text of AA_KBC_PARAMS, empty where unset. Errors: GuestError::usage and the aa-config's.
Result<Settings> gather_settings(const RunnerOptions& options, std::string_view kbc_params);

}  // namespace coffer::guest::detail
