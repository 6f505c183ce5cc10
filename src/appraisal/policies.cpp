#include "appraisal/policies.h"

#include <algorithm>
#include <array>

#include "appraisal/default_policies.h"
#include "base/log.h"
#include "codec/base64.h"
#include "crypto/hash.h"

namespace coffer::appraisal {

namespace {

constexpr std::string_view space = "attestation_service_policy";
constexpr std::string_view suffix = ".rego";
constexpr std::size_t max_id_size = 128;
constexpr std::size_t max_parsed = 64;

constexpr std::array defaults{
    DefaultPolicy{"default_cpu", default_cpu_rego}, DefaultPolicy{"default_gpu", default_gpu_rego},
    DefaultPolicy{"default_switch", default_switch_rego}, DefaultPolicy{"default_ppcie", default_ppcie_rego}};

bool is_id_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
}

Result<std::string> key_of(std::string_view id) {
  const bool dots = std::ranges::all_of(id, [](char c) { return c == '.'; });
  if (id.size() > max_id_size || dots || !std::ranges::all_of(id, is_id_character)) {
    return fail(AppraisalError::bad_policy_id, "policy id \"" + std::string{id.substr(0, max_id_size)} +
                                                   "\" is expected to be 1 to 128 of the characters A-Z a-z 0-9 . _ -");
  }
  return std::string{id} + std::string{suffix};
}

}  // namespace

std::span<const DefaultPolicy> default_policies() {
  return defaults;
}

Result<> PolicyStore::install_defaults() {
  for (const auto& policy : defaults) {
    const auto written = store_->put_if(space, TRY(key_of(policy.id)), std::nullopt, as_bytes(policy.text));
    if (!written && written.error().code != storage::StorageError::conflict) return fail(written.error());
    if (written) log::info("appraisal.policy_installed", "", {{"id", std::string{policy.id}}});
  }
  return {};
}

Result<> PolicyStore::set(std::string_view id, std::string_view text) {
  const auto key = TRY(key_of(id));
  TRY(policy::Policy::parse(key, std::string{text}));
  return store_->put(space, key, as_bytes(text));
}

Result<std::optional<std::string>> PolicyStore::text(std::string_view id) const {
  const auto bytes = TRY(store_->get(space, TRY(key_of(id))));
  if (!bytes) return std::optional<std::string>{};
  return std::optional{to_text(*bytes)};
}

Result<std::vector<std::string>> PolicyStore::list() const {
  std::vector<std::string> out;
  for (auto& key : TRY(store_->list(space))) {
    if (key.ends_with(suffix)) out.push_back(key.substr(0, key.size() - suffix.size()));
  }
  return out;
}

Result<bool> PolicyStore::erase(std::string_view id) {
  return store_->erase(space, TRY(key_of(id)));
}

Result<std::shared_ptr<const policy::Policy>> PolicyStore::load(std::string_view id) const {
  const auto key = TRY(key_of(id));
  const auto bytes = TRY(store_->get(space, key));
  if (!bytes) {
    return fail(AppraisalError::unknown_policy, "there is no appraisal policy \"" + std::string{id} +
                                                    "\"; set one under this id or delete what asks for it");
  }
  const auto digest = key + to_text(crypto::sha256(*bytes));
  {
    const std::lock_guard lock{mutex_};
    if (const auto found = parsed_.find(digest); found != parsed_.end()) return found->second;
  }
  auto policy = std::make_shared<const policy::Policy>(TRY(policy::Policy::parse(key, to_text(*bytes))));
  const std::lock_guard lock{mutex_};
  if (parsed_.size() >= max_parsed) parsed_.clear();  // a handful are in use; more means they changed often
  parsed_.emplace(digest, policy);
  return policy;
}

}  // namespace coffer::appraisal
