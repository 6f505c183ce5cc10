#include "fleet/aggregator/aggregator.h"

#include <algorithm>

#include "base/log.h"

namespace coffer::fleet::aggregator {
namespace {

std::unexpected<Error> unknown_round(const std::string& id) {
  return fail(AggregatorError::unknown_round, "no round \"" + id + "\" was configured here");
}

std::unexpected<Error> unknown_model(std::uint64_t version) {
  return fail(AggregatorError::unknown_model, "there is no model " + std::to_string(version) + " here");
}

RoundStatement statement_of(const Round& round, TimePoint now) {
  RoundStatement statement{.round_id = round.plan().round_id,
                           .base_version = round.base()->model.version,
                           .model_version = round.model()->model.version,
                           .base_digest = round.base()->digest,
                           .model_digest = round.model()->digest,
                           .made = now};
  for (const auto& [participant, weight] : round.weights()) {
    statement.participants.push_back({participant, weight.update_digest, weight.num_samples});
  }
  return statement;
}

}  // namespace

Aggregator::Aggregator(AggregatorOptions options, Model initial, const Clock& clock)
    : options_(std::move(options)), clock_(clock) {
  publish(std::make_shared<const PublishedModel>(std::move(initial)));
}

Aggregator::Entry* Aggregator::find(const std::string& id) {
  const auto found = rounds_.find(id);
  return found == rounds_.end() ? nullptr : &found->second;
}

RoundView Aggregator::view_of(const Entry& entry) {
  const auto& round = entry.round;
  RoundView view{.experiment_id = round.plan().experiment_id,
                 .round_id = round.plan().round_id,
                 .state = round.state(),
                 .updates = round.updates(),
                 .k = round.plan().k,
                 .base_version = round.base()->model.version,
                 .hyperparams = round.plan().hyperparams,
                 .failure = round.failure(),
                 .began = round.began(),
                 .deadline = round.deadline(),
                 .statement = entry.statement,
                 .token = entry.token};
  if (round.model()) {
    view.model_version = round.model()->model.version;
    view.model_digest = round.model()->digest;
  }
  return view;
}

Result<RoundView> Aggregator::configure(RoundPlan plan) {
  const std::lock_guard lock(mutex_);
  const auto base = models_.find(plan.base_version);
  if (base == models_.end()) return unknown_model(plan.base_version);
  if (rounds_.contains(plan.round_id)) {
    return fail(AggregatorError::round_exists, "round " + plan.round_id + " was configured already");
  }
  const auto open =
      std::ranges::count_if(rounds_, [](const auto& each) { return each.second.round.state() == Round::State::open; });
  if (static_cast<std::size_t>(open) >= options_.max_open_rounds) {
    return fail(AggregatorError::busy, std::to_string(open) + " rounds are open, as many as may be");
  }
  const auto id = plan.round_id;
  const auto [entry, _] = rounds_.emplace(id, Entry{Round{std::move(plan), base->second, clock_.now()}});
  forget_old();
  return view_of(entry->second);
}

Result<std::shared_ptr<const PublishedModel>> Aggregator::reserve(const ReceivedUpdate& received) {
  const auto& update = received.update;
  const std::lock_guard lock(mutex_);
  const auto* entry = find(update.round_id);
  if (entry == nullptr) return unknown_round(update.round_id);
  TRY(entry->round.check(update.proplet_id, received.signer));
  const auto& wanted = entry->round.plan().module_digest;
  if (!wanted.empty() && update.module_digest != wanted) {
    return fail(AggregatorError::wrong_module,
                "the round takes updates of module " + wanted + "; this one is of \"" + update.module_digest + "\"");
  }
  auto base = entry->round.base();
  auto held = reserved_ + base->size();
  for (const auto& [_, each] : rounds_) held += each.round.held();
  if (held > options_.max_held) {
    return fail(AggregatorError::busy, "updates of " + std::to_string(held) + " bytes are more than is held at once");
  }
  reserved_ += base->size();
  return base;
}

Result<bool> Aggregator::add(const ReceivedUpdate& received, std::size_t reserved, Result<Contribution> contribution) {
  const std::lock_guard lock(mutex_);
  reserved_ -= reserved;
  auto counted = TRY(std::move(contribution));
  counted.update_digest = received.digest;
  auto* entry = find(received.update.round_id);
  if (entry == nullptr) return unknown_round(received.update.round_id);
  const bool last = TRY(entry->round.add(received.update.proplet_id, received.signer, std::move(counted)));
  if (last) complete(*entry);
  return last;
}

Result<> Aggregator::take(const ReceivedUpdate& received) {
  (void)expire();
  const auto base = TRY(reserve(received));
  // The work that grows with the model is done outside of the lock.
  const bool last = TRY(add(received, base->size(), read_contribution(received.update, base->model, options_.updates)));
  if (last) announce(received.update.round_id);
  return {};
}

void Aggregator::complete(Entry& entry) {
  auto& round = entry.round;
  const auto version = models_.rbegin()->first + 1;
  auto made = average(round.base()->model, round.contributions(), version);
  if (!made) return round.fail_with(made.error());
  auto published = std::make_shared<const PublishedModel>(std::move(*made));
  round.complete(published);
  publish(std::move(published));
}

void Aggregator::publish(std::shared_ptr<const PublishedModel> model) {
  const auto version = model->model.version;
  models_[version] = std::move(model);
  while (models_.size() > options_.max_models) models_.erase(models_.begin());
}

void Aggregator::forget_old() {
  auto closed = static_cast<std::size_t>(
      std::ranges::count_if(rounds_, [](const auto& each) { return each.second.round.state() != Round::State::open; }));
  for (; closed > options_.max_closed_rounds; --closed) {
    auto oldest = rounds_.end();
    for (auto each = rounds_.begin(); each != rounds_.end(); ++each) {
      if (each->second.round.state() == Round::State::open) continue;
      if (oldest == rounds_.end() || each->second.round.began() < oldest->second.round.began()) oldest = each;
    }
    rounds_.erase(oldest);
  }
}

void Aggregator::sign(const std::string& id) {
  if (!options_.sign) return;
  RoundStatement statement;
  {
    const std::lock_guard lock(mutex_);
    const auto* entry = find(id);
    if (entry == nullptr || !entry->statement.empty() || entry->round.state() != Round::State::completed) return;
    statement = statement_of(entry->round, clock_.now());
  }
  auto made = options_.sign(std::move(statement));
  if (!made) {
    return log::warn("aggregator.unsigned", made.error().message,
                     {{"round", id}, {"code", std::string{made.error().code.name()}}});
  }
  const std::lock_guard lock(mutex_);
  auto* entry = find(id);
  if (entry == nullptr || !entry->statement.empty()) return;
  entry->statement = std::move(made->statement);
  entry->token = std::move(made->token);
}

void Aggregator::announce(const std::string& id) {
  sign(id);
  RoundView view;
  {
    const std::lock_guard lock(mutex_);
    const auto* entry = find(id);
    if (entry == nullptr) return;
    view = view_of(*entry);
  }
  log::info("aggregator.round_closed", view.failure ? view.failure->message : "a round has made a new model",
            {{"round", id},
             {"updates", std::to_string(view.updates)},
             {"code", view.failure ? std::string{view.failure->code.name()} : ""},
             {"model", view.failure ? "" : std::to_string(view.model_version)}});
  if (options_.closed) options_.closed(view);
}

Result<RoundView> Aggregator::round(const std::string& id) {
  (void)expire();
  sign(id);
  const std::lock_guard lock(mutex_);
  const auto* entry = find(id);
  if (entry == nullptr) return unknown_round(id);
  return view_of(*entry);
}

std::optional<RoundView> Aggregator::last_completed() {
  (void)expire();
  const std::lock_guard lock(mutex_);
  const Entry* last = nullptr;
  for (const auto& [_, each] : rounds_) {
    if (each.round.state() != Round::State::completed) continue;
    if (last == nullptr || each.round.model()->model.version > last->round.model()->model.version) last = &each;
  }
  if (last == nullptr) return std::nullopt;
  return view_of(*last);
}

std::shared_ptr<const PublishedModel> Aggregator::newest_model() const {
  const std::lock_guard lock(mutex_);
  return models_.rbegin()->second;
}

Result<std::shared_ptr<const PublishedModel>> Aggregator::model(std::uint64_t version) const {
  const std::lock_guard lock(mutex_);
  const auto found = models_.find(version);
  if (found == models_.end()) return unknown_model(version);
  return found->second;
}

std::vector<std::uint64_t> Aggregator::versions() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::uint64_t> list;
  for (const auto& [version, _] : models_) list.push_back(version);
  return list;
}

Result<> Aggregator::store(Model model) {
  auto published = std::make_shared<const PublishedModel>(std::move(model));
  const std::lock_guard lock(mutex_);
  const auto version = published->model.version;
  // What a round has made is under its statement, and what is older than all could be forgotten at once.
  if (version <= models_.rbegin()->first) {
    return fail(AggregatorError::model_exists, "models from " + std::to_string(models_.rbegin()->first + 1) +
                                                   " on may be stored, found " + std::to_string(version));
  }
  publish(std::move(published));
  return {};
}

std::optional<TimePoint> Aggregator::expire() {
  std::vector<std::string> closed;
  std::optional<TimePoint> next;
  {
    const std::lock_guard lock(mutex_);
    const auto now = clock_.now();
    for (auto& [id, entry] : rounds_) {
      auto& round = entry.round;
      if (round.state() != Round::State::open) continue;
      if (round.deadline() > now) {
        next = next ? std::min(*next, round.deadline()) : round.deadline();
        continue;
      }
      round.fail_with({AggregatorError::too_few_participants, "the round has ended with " +
                                                                  std::to_string(round.updates()) + " updates of the " +
                                                                  std::to_string(round.plan().k) + " that it needs"});
      closed.push_back(id);
    }
  }
  for (const auto& id : closed) announce(id);
  return next;
}

std::size_t Aggregator::open_rounds() const {
  const std::lock_guard lock(mutex_);
  return static_cast<std::size_t>(
      std::ranges::count_if(rounds_, [](const auto& each) { return each.second.round.state() == Round::State::open; }));
}

}  // namespace coffer::fleet::aggregator
