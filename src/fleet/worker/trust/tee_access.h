// The TEE this worker runs in, and the key brokers it may ask. One access to keys is opened for each broker, at first
// use, and kept: its token serves every task until it ends.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "fleet/capabilities.h"
#include "fleet/worker/config.h"
#include "fleet/worker/error.h"
#include "workload/key_access.h"

namespace coffer::fleet::worker {

class TeeAccess {
 public:
  // Detects the TEE unless told otherwise. worker.tee_required where one is demanded and there is none; the aa-config's
  // errors; evidence.unknown_tee. `root`: where devices are looked for.
  static Result<std::unique_ptr<TeeAccess>> open(const Config& config, const std::filesystem::path& root = "/");

  const std::optional<Capabilities::Tee>& tee() const { return tee_; }
  // Why encrypted work cannot be done here; begins "TEE runtime not available", as upstream's clients look for it.
  // Nothing where it can.
  std::optional<Error> refusal() const;

  // Evidence of this machine over these report data, at most 64 bytes: one at a time. worker.tee_not_available, and
  // what the attester says.
  Result<codec::json::Value> attest(ByteView report_data);

  // The way to the broker that a request names, or to this worker's own. worker.tee_not_available,
  // worker.broker_not_allowed, and what opening says.
  Result<std::shared_ptr<const workload::KeyAccess>> keys(const std::string& kbs_uri);

 private:
  TeeAccess() = default;
  Result<> detect(const TeeConfig& config, const std::filesystem::path& root);
  Result<> read_settings(const Config& config);

  std::optional<Capabilities::Tee> tee_;
  std::string why_none_;
  std::string own_broker_;
  std::vector<std::string> allowed_;
  workload::KeySettings settings_;
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<const workload::KeyAccess>> opened_;
  std::mutex attesting_;
  std::unique_ptr<evidence::ChosenAttester> attester_;  // where there is no broker to attest to
};

}  // namespace coffer::fleet::worker
