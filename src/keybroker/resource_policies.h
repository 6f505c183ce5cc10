// The one policy that guards resources: package `policy`, rule `allow`, input = the token's claims, data = what is
// asked for (trustee.md 4).
#pragma once

#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "keybroker/config.h"
#include "keybroker/error.h"
#include "policy/engine.h"
#include "storage/key_value_store.h"

namespace coffer::keybroker {

inline constexpr std::string_view resource_policy_id = "resource-policy";

// The Rego text of a policy that comes with the broker, and its name ("default", "affirming", ...).
std::string_view builtin_policy_text(DefaultPolicy policy);
std::string_view name_of(DefaultPolicy policy);
Result<DefaultPolicy> parse_default_policy(std::string_view name);  // "upstream" is an alias of "default"

struct PolicyQuestion {
  codec::json::Value claims;  // of the token
  std::string plugin = "resource";
  std::vector<std::string> path;  // repo, type, tag
  codec::json::Object query{};
};

struct PolicyVerdict {
  bool allowed = false;
  std::string policy_id;  // "resource-policy", or "default" where the owner set none
  std::string policy_sha256;
  std::vector<policy::Condition> conditions{};  // from this very evaluation
};

class ResourcePolicies {
 public:
  // `file`: the older policy_path; installed where the store has no policy, and written on set().
  static Result<std::unique_ptr<ResourcePolicies>> create(std::shared_ptr<storage::KeyValueStore> store,
                                                          DefaultPolicy fallback,
                                                          std::optional<std::filesystem::path> file);

  // policy_invalid where it does not parse; the old one then stays.
  Result<> set(std::string_view text);
  // Back to the built-in policy.
  Result<> reset();
  // The text in force.
  Result<std::string> text() const;

  // Undefined and non-boolean answers deny. policy_failed where it cannot be evaluated (a loop runs out of its budget):
  // then nothing is allowed either.
  Result<PolicyVerdict> evaluate(const PolicyQuestion& question) const;

 private:
  ResourcePolicies(std::shared_ptr<storage::KeyValueStore> store, DefaultPolicy fallback,
                   std::optional<std::filesystem::path> file)
      : store_(std::move(store)), fallback_(fallback), file_(std::move(file)) {}
  struct Current {
    std::string id;
    std::string text;
  };
  Result<Current> current() const;
  Result<std::shared_ptr<const policy::Policy>> parsed(const Current& current) const;

  std::shared_ptr<storage::KeyValueStore> store_;
  DefaultPolicy fallback_;
  std::optional<std::filesystem::path> file_;
  mutable std::mutex mutex_;
  mutable std::shared_ptr<const policy::Policy> parsed_;  // of the text seen last
};

}  // namespace coffer::keybroker
