// One federated round: who takes part, from which model, until when; and what has come in.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/clock.h"
#include "fleet/aggregator/fedavg.h"

namespace coffer::fleet::aggregator {

struct RoundLimits {
  // Fewer would show a participant's own update: the mean of one is that one.
  std::size_t min_participants = 2;
  std::size_t max_participants = 1024;
  Duration timeout = std::chrono::seconds{60};  // where a round names none, as upstream
  Duration longest_timeout = std::chrono::hours{24};
};

struct RoundPlan {
  std::string experiment_id{}, round_id{};
  std::uint64_t base_version = 0;
  std::set<std::string> participants{};  // workers' ids
  codec::json::Object hyperparams{};
  std::size_t k = 0;  // so many updates complete the round
  Duration timeout{};
  std::string module_digest{};  // "sha256:...": of the one module whose updates count; empty: of any
};
// Upstream's configuration of an experiment; "module_digest" is ours. k_of_n where absent is 3, as upstream has it, or
// all where there are fewer. FleetError::bad_member, missing_member; AggregatorError::bad_request.
Result<RoundPlan> read_plan(const codec::json::Object& body, const RoundLimits& limits);

// A model with its text and the text's digest, made once.
struct PublishedModel {
  explicit PublishedModel(Model from);
  std::size_t size() const { return model.values.size() * sizeof(double); }  // of an update's numbers, in bytes
  Model model;
  std::string text, digest;
};

class Round {
 public:
  enum class State { open, completed, failed };
  Round(RoundPlan plan, std::shared_ptr<const PublishedModel> base, TimePoint now);

  // Whether an update of this participant would be taken now: round_closed, unknown_participant, duplicate_update.
  // `signer`: thumbprint of the attested key; empty where there is none.
  Result<> check(const std::string& participant, const std::string& signer) const;
  // The same, then takes it. True where it was the last that was waited for.
  Result<bool> add(const std::string& participant, const std::string& signer, Contribution contribution);

  void complete(std::shared_ptr<const PublishedModel> model);
  void fail_with(Error why);

  const RoundPlan& plan() const { return plan_; }
  const std::shared_ptr<const PublishedModel>& base() const { return base_; }
  const std::shared_ptr<const PublishedModel>& model() const { return model_; }
  State state() const { return state_; }
  TimePoint deadline() const { return deadline_; }
  TimePoint began() const { return began_; }
  const std::optional<Error>& failure() const { return failure_; }
  std::size_t updates() const { return weights_.size(); }
  const std::map<std::string, Contribution>& contributions() const { return contributions_; }
  // Bytes of numbers that it holds; none once it is closed.
  std::size_t held() const { return contributions_.size() * base_->size(); }
  // What is kept of the updates when their numbers are gone.
  struct Weight {
    std::string update_digest;
    std::uint64_t num_samples = 0;
  };
  const std::map<std::string, Weight>& weights() const { return weights_; }

 private:
  void forget_numbers();

  RoundPlan plan_;
  std::shared_ptr<const PublishedModel> base_, model_;
  TimePoint began_, deadline_;
  State state_ = State::open;
  std::optional<Error> failure_;
  std::map<std::string, Contribution> contributions_;
  std::map<std::string, Weight> weights_;
  std::set<std::string> signers_;
};

}  // namespace coffer::fleet::aggregator
