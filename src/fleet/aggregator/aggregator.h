// The rounds and the models: what the routes of rest.h ask of them. Everything is in memory alone, for a TEE's disk is
// its host's: models that shall outlive the program are fetched from it.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "fleet/aggregator/round.h"
#include "fleet/aggregator_statements.h"

namespace coffer::fleet::aggregator {

// An update, its seal opened and its signature checked.
struct ReceivedUpdate {
  RoundUpdate update;
  std::string digest;    // names it in the statement
  std::string signer{};  // thumbprint of the attested key that signed it; empty where none did
};

// What is told of a round.
struct RoundView {
  std::string experiment_id, round_id;
  Round::State state = Round::State::open;
  std::size_t updates = 0, k = 0;
  std::uint64_t base_version = 0, model_version = 0;  // the latter where it is completed
  std::string model_digest{};
  codec::json::Object hyperparams{};
  std::optional<Error> failure{};
  TimePoint began{}, deadline{};
  std::string statement{}, token{};  // sign_round() and the token it was made under; empty outside of a TEE
};

struct SignedRound {
  std::string statement, token;
};

struct AggregatorOptions {
  RoundLimits rounds{};
  UpdateLimits updates{};
  std::size_t max_open_rounds = 64;
  std::size_t max_closed_rounds = 1024;  // that are still told of; the oldest go first
  std::size_t max_models = 16;           // likewise
  std::size_t max_parameters = 1'000'000;
  std::size_t max_held = std::size_t{1} << 30;  // bytes of updates in all open rounds
  // The statement with the token's digest added, signed by the attested key; absent outside of a TEE.
  std::function<Result<SignedRound>(RoundStatement)> sign{};
  std::function<void(const RoundView&)> closed{};
};

// Safe to use from several threads.
class Aggregator {
 public:
  Aggregator(AggregatorOptions options, Model initial, const Clock& clock);

  // unknown_model, round_exists, busy.
  Result<RoundView> configure(RoundPlan plan);
  // Those of Round::check() and read_contribution(); unknown_round, wrong_module, busy.
  Result<> take(const ReceivedUpdate& received);
  Result<RoundView> round(const std::string& id);  // unknown_round
  std::optional<RoundView> last_completed();

  std::shared_ptr<const PublishedModel> newest_model() const;
  Result<std::shared_ptr<const PublishedModel>> model(std::uint64_t version) const;  // unknown_model
  std::vector<std::uint64_t> versions() const;
  Result<> store(Model model);  // model_exists

  // Closes the rounds whose time is over; when the next one's will be.
  std::optional<TimePoint> expire();
  std::size_t open_rounds() const;
  const AggregatorOptions& options() const { return options_; }

 private:
  struct Entry {
    Round round;
    std::string statement{}, token{};
  };
  Entry* find(const std::string& id);
  static RoundView view_of(const Entry& entry);
  // The model that the update is against; room for its numbers is kept until add().
  Result<std::shared_ptr<const PublishedModel>> reserve(const ReceivedUpdate& received);
  // Whether it was the last that the round waited for.
  Result<bool> add(const ReceivedUpdate& received, std::size_t reserved, Result<Contribution> contribution);
  void complete(Entry& entry);
  void publish(std::shared_ptr<const PublishedModel> model);
  void forget_old();
  // Signs what is completed and unsigned, then tells of it. Not under the lock: attesting takes its time.
  void announce(const std::string& id);
  void sign(const std::string& id);

  AggregatorOptions options_;
  const Clock& clock_;
  mutable std::mutex mutex_;
  std::map<std::string, Entry> rounds_;
  std::map<std::uint64_t, std::shared_ptr<const PublishedModel>> models_;
  std::size_t reserved_ = 0;  // bytes of updates that are just being read
};

}  // namespace coffer::fleet::aggregator
