// Appraisal policies: `<id>.rego` in namespace `attestation_service_policy`, parsed once for each content.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "appraisal/error.h"
#include "policy/engine.h"
#include "storage/key_value_store.h"

namespace coffer::appraisal {

struct DefaultPolicy {
  std::string_view id;  // "default_cpu"
  std::string_view text;
};
// default_cpu, default_gpu, default_switch, default_ppcie: upstream's rules and thresholds (trustee.md 3.2), our words.
std::span<const DefaultPolicy> default_policies();

class PolicyStore {
 public:
  explicit PolicyStore(std::shared_ptr<storage::KeyValueStore> store) : store_(std::move(store)) {}

  // Writes the defaults that are absent; what an owner has set stays.
  Result<> install_defaults();
  // Parses before it stores; PolicyError of policy/engine.h, bad_policy_id.
  Result<> set(std::string_view id, std::string_view text);
  Result<std::optional<std::string>> text(std::string_view id) const;
  Result<std::vector<std::string>> list() const;  // ids, sorted
  Result<bool> erase(std::string_view id);

  // Ready for evaluation; unknown_policy where there is none. Read from the store each time, so that replicas see a
  // change at once; parsed only where this content was not parsed before.
  Result<std::shared_ptr<const policy::Policy>> load(std::string_view id) const;

 private:
  std::shared_ptr<storage::KeyValueStore> store_;
  mutable std::mutex mutex_;
  mutable std::unordered_map<std::string, std::shared_ptr<const policy::Policy>> parsed_;  // by SHA-256 of the text
};

}  // namespace coffer::appraisal
