// The way to the image's key, opened only when a layer turns out to be encrypted.
#pragma once

#include <memory>
#include <string>

#include "evidence/chosen_attester.h"
#include "guest/detail/mode_decision.h"
#include "guest/resource_key_source.h"
#include "keyclient/resource_source.h"

namespace coffer::guest::detail {

struct KeyAccess {
  Decision decision;
  std::string tee{};                                     // wire name where attestation is made
  std::unique_ptr<evidence::ChosenAttester> attester{};  // the one that `source` uses
  std::shared_ptr<keyclient::ResourceSource> source{};

  // Decides the mode, finds the TEE where one is needed. Errors: no_tee, usage, and those of decide().
  static Result<KeyAccess> open(Settings settings);
};

}  // namespace coffer::guest::detail
