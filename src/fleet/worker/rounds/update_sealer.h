// Updates of federated rounds that nobody but the aggregator may see: sealed to the key of an aggregator that has just
// proven itself, signed by this worker's own attested key. Where the aggregator is not proven the task fails; an update
// never goes out plain instead.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "base/clock.h"
#include "fleet/commands.h"
#include "fleet/sealed_update.h"
#include "fleet/trust/aggregator_trust.h"
#include "fleet/worker/runtimes/runtime.h"
#include "keyclient/kbs_client.h"
#include "net/http_client.h"

namespace coffer::fleet::worker {

class UpdateSealer {
 public:
  using Environment = std::map<std::string, std::string>;
  struct Parts {
    std::shared_ptr<net::HttpClient> http{};
    std::string own_id{};
    // This worker's own proof; null where it has none, and the aggregator decides whether its update counts.
    std::function<std::shared_ptr<const keyclient::AttestedToken>(TimePoint)> token{};
    std::function<std::string(const Environment&)> aggregator{};  // its address; empty: none is named
    // To the aggregator by another way, for want of an answer.
    std::function<void(const Environment&, const std::string& update)> fall_back{};
    const Clock& clock = system_clock();
  };
  // `trust`: which aggregators are believed. With it, every federated task's update is sealed, whatever the task says:
  // who sends tasks is not to choose that. Without, only tasks that ask for it, which then fail. Errors of
  // AggregatorTrust::create().
  static Result<std::unique_ptr<UpdateSealer>> create(std::optional<TokenTrustOptions> trust, Parts parts);

  bool always() const { return trust_.has_value(); }
  // Tasks with ROUND_ID, and here either always() or FL_UPDATE_SEALED.
  bool applies_to(const StartCommand& task) const;
  // What would show its update in another way than as its result: WorkerError::unsupported.
  Result<> check(const StartCommand& task, bool serves) const;
  // Whether the model in MODEL_DATA is the aggregator's own of MODEL_URI: who changes it on the way could have a guest
  // say more of its data than it would. WorkerError::aggregator_not_proven.
  Result<> check_model(const Environment& environment) const;
  // Puts the sealed update in the place of what the run wrote, and brings it to the aggregator. Of a run that failed
  // remains the code alone: its words could tell of the data.
  void seal(const StartCommand& task, const Environment& environment, RunReport& report) const;

 private:
  UpdateSealer(std::optional<AggregatorTrust> trust, Parts parts);
  Result<SealedUpdate> sealed(const StartCommand& task, const Environment& environment, const RunReport& report) const;
  // The key of an aggregator that proves itself now. WorkerError::aggregator_not_proven.
  Result<codec::jose::Jwk> prove(const std::string& address, const std::optional<ModelName>& model = {}) const;
  Result<SignedUpdate> signed_update(std::string document, const UpdateOrigin& origin) const;
  // Whether the aggregator has it now; by MQTT it may yet come. WorkerError::update_refused where it says so.
  Result<bool> deliver(const Environment& environment, const SealedUpdate& update) const;

  std::optional<AggregatorTrust> trust_;
  Parts parts_;
};

}  // namespace coffer::fleet::worker
