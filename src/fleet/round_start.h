// The start of a federated round.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "codec/json.h"

namespace coffer::fleet {

struct RoundStart {
  std::string round_id;
  std::string model_uri{};
  std::string task_wasm_image{};
  std::vector<std::string> participants{};  // workers' ids
  codec::json::Object hyperparams{};
  // Ours. Whether updates leave workers sealed alone, for an aggregator in a TEE; whether the image is encrypted, and
  // by which key.
  bool sealed = false, encrypted = false;
  std::string kbs_resource_path{};
};

Result<RoundStart> parse_round_start(std::string_view payload);
std::string to_json(const RoundStart& round);

}  // namespace coffer::fleet
