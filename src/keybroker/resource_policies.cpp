#include "keybroker/resource_policies.h"

#include <array>
#include <fstream>

#include "base/log.h"
#include "codec/base64.h"
#include "crypto/hash.h"
#include "keybroker/key_files.h"
#include "keybroker/policies_embedded.h"
#include "keybroker/refusal.h"

namespace coffer::keybroker {
namespace {

constexpr std::string_view space = "kbs";
constexpr std::string_view key = "resource-policy.rego";

struct Builtin {
  DefaultPolicy policy;
  std::string_view name;
  std::string_view text;
};
constexpr std::array builtins{
    Builtin{DefaultPolicy::upstream, "default", embedded::default_rego},
    Builtin{DefaultPolicy::affirming, "affirming", embedded::affirming_rego},
    Builtin{DefaultPolicy::allow_all, "allow_all", embedded::allow_all_rego},
    Builtin{DefaultPolicy::deny_all, "deny_all", embedded::deny_all_rego},
};

const Builtin& builtin(DefaultPolicy policy) {
  for (const auto& entry : builtins) {
    if (entry.policy == policy) return entry;
  }
  return builtins.front();
}

Result<std::shared_ptr<const policy::Policy>> parse(std::string_view text) {
  auto policy = policy::Policy::parse("resource-policy.rego", std::string{text});
  if (!policy) return fail(because(BrokerError::policy_invalid, policy.error().message, policy.error()));
  return std::make_shared<const policy::Policy>(*std::move(policy));
}

Error storage_trouble(const Error& cause) {
  return because(BrokerError::storage_failed, "the policy store failed", cause);
}

Result<> write_file(const std::filesystem::path& file, std::string_view text) {
  std::ofstream stream{file, std::ios::binary | std::ios::trunc};
  stream << text;
  stream.close();
  if (stream) return {};
  return fail(BrokerError::storage_failed, "the policy could not be written to policy_path " + file.string());
}

}  // namespace

std::string_view builtin_policy_text(DefaultPolicy policy) {
  return builtin(policy).text;
}
std::string_view name_of(DefaultPolicy policy) {
  return builtin(policy).name;
}

Result<DefaultPolicy> parse_default_policy(std::string_view name) {
  if (name == "upstream") return DefaultPolicy::upstream;
  for (const auto& entry : builtins) {
    if (entry.name == name) return entry.policy;
  }
  return fail(BrokerError::config_value,
              "expected default, affirming, allow_all or deny_all, found " + std::string{name});
}

Result<std::unique_ptr<ResourcePolicies>> ResourcePolicies::create(std::shared_ptr<storage::KeyValueStore> store,
                                                                   DefaultPolicy fallback,
                                                                   std::optional<std::filesystem::path> file) {
  auto policies = std::unique_ptr<ResourcePolicies>(new ResourcePolicies(std::move(store), fallback, file));
  if (!file || TRY(policies->store_->get(space, key))) return policies;
  std::error_code unreadable;
  if (!std::filesystem::exists(*file, unreadable) && !unreadable) {
    log::warn("broker.policy_file_missing", "policy_path names no file: the built-in policy guards resources",
              {{"policy_path", file->string()}, {"policy", std::string{name_of(fallback)}}});
    return policies;
  }
  const auto text = TRY(read_text_file(*file, "policy_path"));
  TRY(parse(text));
  TRY(policies->store_->put(space, key, as_bytes(text)));
  return policies;
}

Result<> ResourcePolicies::set(std::string_view text) {
  TRY(parse(text));
  if (file_) TRY(write_file(*file_, text));
  const auto put = store_->put(space, key, as_bytes(text));
  if (!put) return fail(storage_trouble(put.error()));
  return {};
}

Result<> ResourcePolicies::reset() {
  const auto erased = store_->erase(space, key);
  if (!erased) return fail(storage_trouble(erased.error()));
  return {};
}

Result<std::string> ResourcePolicies::text() const {
  return TRY(current())
  .text;
}

Result<ResourcePolicies::Current> ResourcePolicies::current() const {
  const auto stored = store_->get(space, key);
  if (!stored) return fail(storage_trouble(stored.error()));
  if (const auto& text = *stored) return Current{std::string{resource_policy_id}, to_text(*text)};
  const auto& fallback = builtin(fallback_);
  return Current{std::string{fallback.name}, std::string{fallback.text}};
}

Result<std::shared_ptr<const policy::Policy>> ResourcePolicies::parsed(const Current& current) const {
  {
    const std::lock_guard lock{mutex_};
    if (parsed_ && parsed_->text() == current.text) return parsed_;
  }
  auto fresh = TRY(parse(current.text));
  const std::lock_guard lock{mutex_};
  parsed_ = fresh;
  return fresh;
}

Result<PolicyVerdict> ResourcePolicies::evaluate(const PolicyQuestion& question) const {
  const auto in_force = TRY(current());
  const auto policy = TRY(parsed(in_force));
  codec::json::Array path{question.path.begin(), question.path.end()};
  const auto evaluation = policy->evaluate({.query = "data.policy.allow",
                                            .input = question.claims,
                                            .data = codec::json::Object{{"plugin", question.plugin},
                                                                        {"resource-path", std::move(path)},
                                                                        {"query", question.query}},
                                            .explain = true});
  if (!evaluation) return fail(because(BrokerError::policy_failed, "the resource policy failed", evaluation.error()));
  const auto& value = evaluation->value;
  const bool* allowed = value ? value->if_bool() : nullptr;
  return PolicyVerdict{.allowed = allowed != nullptr && *allowed,
                       .policy_id = in_force.id,
                       .policy_sha256 = codec::hex_encode(crypto::sha256(as_bytes(in_force.text))),
                       .conditions = evaluation->conditions};
}

}  // namespace coffer::keybroker
