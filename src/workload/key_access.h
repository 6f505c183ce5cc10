// The way to images' keys: opened once, used for one image or for many at the same time.
#pragma once

#include <memory>
#include <string>

#include "evidence/chosen_attester.h"
#include "keyclient/kbs_client.h"
#include "workload/mode_decision.h"

namespace coffer::workload {

// The TEE that the settings name, or this machine's, with init-data bound and measured. no_tee where there is none.
Result<std::unique_ptr<evidence::ChosenAttester>> choose_attester(const KeySettings& settings);

struct KeyAccess {
  Decision decision;
  std::string tee{};                                     // wire name where attestation is made
  std::unique_ptr<evidence::ChosenAttester> attester{};  // the one that `tokens` uses
  // What attestation yields, where it is made: the token and its key, kept and renewed. `source` asks with it.
  std::shared_ptr<keyclient::HandshakeTokenSource> tokens{};
  std::shared_ptr<keyclient::ResourceSource> source{};

  // Decides the mode, finds the TEE where one is needed; asks the broker for nothing yet but its kind
  // (Mode::automatic). Errors: no_tee, usage, and those of decide().
  static Result<KeyAccess> open(KeySettings settings);
};

}  // namespace coffer::workload
