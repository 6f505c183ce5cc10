// A record of each release and denial, for the owner: what was asked, by whom, what was decided and by which rule.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "codec/json.h"
#include "crypto/random.h"
#include "keybroker/config.h"
#include "storage/key_value_store.h"

namespace coffer::keybroker {

enum class Decision { attested, released, done, denied };
std::string_view name_of(Decision decision);

// A text as records and log lines hold it: what a client sends is cut at `max_text` bytes, because anyone can be denied
// and a path may be as long as a request's head.
inline constexpr std::size_t max_text = 2048;
std::string shortened(std::string_view text);

// Empty members are left out of the stored JSON.
struct AuditRecord {
  std::string action;  // "attest", "resource.get", "resource.set", "admin", ...
  Decision decision = Decision::denied;
  std::string code{};    // "broker.policy_denied"; empty where it went well
  std::string reason{};  // one sentence for the owner
  std::string session{};
  std::string peer{};
  std::string admin{};  // who acted, for administrative actions
  std::string tee{};
  std::string resource{};  // "default/key/k1"
  std::string policy_id{};
  std::string policy_sha256{};
  std::string status{};  // of the evidence: "affirming", ...
  std::string claims_sha256{};
  std::string token_sha256{};
  codec::json::Array explanation{};
};

class AuditLog {
 public:
  AuditLog(std::shared_ptr<storage::KeyValueStore> store, AuditConfig config, const Clock& clock,
           crypto::RandomSource& random)
      : store_(std::move(store)), config_(config), clock_(clock), random_(random) {}

  // Durable when it returns. A caller that cannot record a release must not release. The new record's id.
  Result<std::string> append(const AuditRecord& record);

  // The newest `last` records, oldest of them first; of one session where it is given.
  Result<codec::json::Array> query(const std::optional<std::string>& session, std::size_t last) const;

  // Removes what is older than max_age, and the oldest beyond max_records. Denials, attestations and the rest are
  // counted apart, so that nobody can push out records of releases by being refused, or by attesting, often.
  Result<std::size_t> prune();

 private:
  std::shared_ptr<storage::KeyValueStore> store_;
  AuditConfig config_;
  const Clock& clock_;
  crypto::RandomSource& random_;
  // Orders records of one millisecond.
  std::unique_ptr<std::atomic<std::uint32_t>> sequence_ = std::make_unique<std::atomic<std::uint32_t>>(0);
};

}  // namespace coffer::keybroker
