#include "fleet/aggregator/round.h"

#include "base/secret_bytes.h"
#include "fleet/attested_key.h"
#include "fleet/detail/members.h"

namespace coffer::fleet::aggregator {
namespace {

using codec::json::Object;
using detail::Members;

std::unexpected<Error> bad_plan(const std::string& why) {
  return fail(AggregatorError::bad_request, "a round: " + why);
}

Result<std::set<std::string>> read_participants(const Members& members, const RoundLimits& limits) {
  const auto list = TRY(members.texts("participants"));
  const std::set<std::string> participants(list.begin(), list.end());
  if (participants.size() != list.size()) return bad_plan("a participant is named twice");
  if (participants.contains("")) return bad_plan("a participant has no name");
  if (participants.size() >= limits.min_participants && participants.size() <= limits.max_participants) {
    return participants;
  }
  return bad_plan("from " + std::to_string(limits.min_participants) + " to " + std::to_string(limits.max_participants) +
                  " participants are expected, found " + std::to_string(participants.size()));
}

Result<std::size_t> read_k(const Members& members, std::size_t participants, const RoundLimits& limits) {
  constexpr std::size_t usual = 3;
  const auto asked = TRY(members.count("k_of_n"));
  const auto k = asked == 0 ? std::max(std::min(usual, participants), limits.min_participants) : asked;
  if (k >= limits.min_participants && k <= participants) return k;
  return bad_plan("k_of_n is expected to be from " + std::to_string(limits.min_participants) + " to " +
                  std::to_string(participants) + ", the number of participants; found " + std::to_string(k));
}

Result<Duration> read_timeout(const Members& members, const RoundLimits& limits) {
  const auto seconds = TRY(members.count("timeout_s"));
  if (seconds == 0) return limits.timeout;
  const auto longest = std::chrono::duration_cast<std::chrono::seconds>(limits.longest_timeout).count();
  if (seconds <= static_cast<std::uint64_t>(longest)) return Duration{std::chrono::seconds{seconds}};
  return bad_plan("timeout_s is expected to be at most " + std::to_string(longest) + ", found " +
                  std::to_string(seconds));
}

}  // namespace

Result<RoundPlan> read_plan(const Object& body, const RoundLimits& limits) {
  const Members members{body, "experiment"};
  RoundPlan plan;
  plan.experiment_id = TRY(members.optional_identifier("experiment_id"));
  plan.round_id = TRY(members.identifier("round_id"));
  plan.base_version = version_in(TRY(members.line("model_ref")));
  plan.participants = TRY(read_participants(members, limits));
  plan.hyperparams = TRY(members.object("hyperparams"));
  plan.k = TRY(read_k(members, plan.participants.size(), limits));
  plan.timeout = TRY(read_timeout(members, limits));
  plan.module_digest = TRY(members.optional_identifier("module_digest"));
  return plan;
}

PublishedModel::PublishedModel(Model from) : model(std::move(from)), text(model.text()), digest(digest_of_text(text)) {}

Round::Round(RoundPlan plan, std::shared_ptr<const PublishedModel> base, TimePoint now)
    : plan_(std::move(plan)), base_(std::move(base)), began_(now), deadline_(now + plan_.timeout) {}

Result<> Round::check(const std::string& participant, const std::string& signer) const {
  const auto round = "round " + plan_.round_id;
  if (state_ != State::open) {
    return fail(AggregatorError::round_closed, round + " is closed: the update is not counted");
  }
  if (!plan_.participants.contains(participant)) {
    return fail(AggregatorError::unknown_participant, "worker " + participant + " takes no part in " + round);
  }
  if (weights_.contains(participant)) {
    return fail(AggregatorError::duplicate_update, "worker " + participant + " has given an update to " + round);
  }
  if (!signer.empty() && signers_.contains(signer)) {
    return fail(AggregatorError::duplicate_update,
                "the attested key of worker " + participant + " has signed an update of another worker in " + round);
  }
  return {};
}

Result<bool> Round::add(const std::string& participant, const std::string& signer, Contribution contribution) {
  TRY(check(participant, signer));
  weights_[participant] = {.update_digest = contribution.update_digest, .num_samples = contribution.num_samples};
  contributions_.emplace(participant, std::move(contribution));
  if (!signer.empty()) signers_.insert(signer);
  return contributions_.size() >= plan_.k;
}

void Round::complete(std::shared_ptr<const PublishedModel> model) {
  state_ = State::completed;
  model_ = std::move(model);
  forget_numbers();
}

void Round::fail_with(Error why) {
  state_ = State::failed;
  failure_ = std::move(why);
  forget_numbers();
}

// Single updates are nobody's business any more.
void Round::forget_numbers() {
  for (auto& [_, each] : contributions_) {
    wipe(std::as_writable_bytes(std::span{each.difference}));
  }
  contributions_.clear();
}

}  // namespace coffer::fleet::aggregator
