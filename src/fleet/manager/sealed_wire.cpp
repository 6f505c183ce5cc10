#include "fleet/manager/sealed_wire.h"

#include "base/log.h"
#include "base/printable.h"
#include "fleet/commands.h"

namespace coffer::fleet::manager {
namespace {

using sealed::SealedError;
using std::chrono::steady_clock;

constexpr Duration longest_hold = std::chrono::seconds{60};
constexpr std::size_t most_named = 10'000;

// A broker keeps them for a manager that is away, for hours perhaps. Manager::take_result() holds them to the start of
// their task; an invocation's result is awaited or of no use.
bool is_lasting(const Topics& topics, std::string_view topic) {
  const auto kind = topics.classify(topic);
  return kind == Topic::results || kind == Topic::invoke_results;
}

}  // namespace

SealedWire::SealedWire(const GroupKeyConfig& config, Topics topics, std::string own_id, Deliver deliver,
                       net::Counter refused, net::Counter plain)
    : config_(config),
      topics_(std::move(topics)),
      deliver_(std::move(deliver)),
      refused_(refused),
      plain_(plain),
      file_(config.file),
      channel_({.own_id = std::move(own_id),
                .max_age = config.max_age,
                .lasting = [this](std::string_view topic) { return is_lasting(topics_, topic); }}),
      refusals_("fleet.payload_refused", [this](std::string_view code) { refused_.increment({code}); }) {}

Result<std::unique_ptr<SealedWire>> SealedWire::create(const GroupKeyConfig& config, Topics topics, std::string own_id,
                                                       net::MetricsRegistry& metrics, Deliver deliver) {
  auto refused = TRY(metrics.counter({"manager_payloads_refused_total", "MQTT payloads that were dropped", {"code"}}));
  auto plain = TRY(
      metrics.counter({"manager_plain_payloads_accepted_total", "plain payloads that were taken beside sealed ones"}));
  auto accepts = TRY(metrics.gauge(
      {"manager_accepts_plain_payloads", "1 where plain payloads are taken although there is a group key"}));
  for (const auto code : sealed::payload_errors) refused.increment({code_name(code)}, 0);
  plain.increment({}, 0);
  std::unique_ptr<SealedWire> wire{
      new SealedWire(config, std::move(topics), std::move(own_id), std::move(deliver), refused, plain)};
  const bool open = wire->is_on() && config.accept_plain;
  accepts.set(open ? 1 : 0);
  if (!wire->is_on()) return wire;
  TRY(wire->read_keys());
  if (open) {
    log::warn("fleet.accepts_plain",
              "PLAIN PAYLOADS ARE TAKEN (MANAGER_GROUP_KEY_MODE=accept-plain): whoever reaches the MQTT broker can "
              "still forge and read; set it to required when every worker has the group key");
  }
  return wire;
}

// Whether there are others than before.
Result<bool> SealedWire::read_keys() {
  const std::lock_guard lock(reading_);
  auto keys = TRY(file_.read_if_changed());
  if (!keys) return false;
  const auto* sending = keys->sending(system_clock().now());
  log::info("fleet.group_keys", "has read the group keys",
            {{"file", config_.file},
             {"keys", std::to_string(keys->all().size())},
             {"seals_with", sending == nullptr ? "" : sending->id}});
  channel_.set_keys(std::move(*keys));
  return true;
}

Result<std::vector<std::string>> SealedWire::outgoing(Topic topic, std::string payload) {
  std::vector<std::string> out;
  if (!is_on()) {
    out.push_back(std::move(payload));
    return out;
  }
  out.push_back(TRY(channel_.seal(topics_.of(topic), payload)));
  if (config_.accept_plain && !channel_.has_heard(salvage(payload).proplet_id)) out.push_back(std::move(payload));
  return out;
}

std::optional<SealedWire::Incoming> SealedWire::incoming(const std::string& topic, std::string_view payload) {
  if (!is_on()) return Incoming{std::string{payload}, std::nullopt};
  return open({topic, std::string{payload}});
}

std::optional<SealedWire::Incoming> SealedWire::open(sealed::HeldMessage message) {
  auto opened = channel_.open(message.topic, message.payload);
  if (opened) return Incoming{std::move(opened->payload), opened->sent_at};
  const auto& error = opened.error();
  if (error.code == SealedError::not_sealed && config_.accept_plain) {
    note_plain(message.payload);
    return Incoming{std::move(message.payload), std::nullopt};
  }
  // Workers may have a new key sooner than this manager its file.
  const auto topic = message.topic;
  const bool wait = error.code == SealedError::unknown_key && steady_clock::now() - message.since < longest_hold;
  if (!wait || !held_.hold(std::move(message))) refusals_.note(error, topic);
  return std::nullopt;
}

// Who has no key yet is named once, for whoever is to give it one.
void SealedWire::note_plain(std::string_view payload) {
  plain_.increment();
  auto member = salvage(payload).proplet_id;
  {
    const std::lock_guard lock(noting_);
    if (plain_members_.size() >= most_named || !plain_members_.insert(member).second) return;
  }
  log::warn("fleet.plain_member", "its payloads are plain, and taken all the same",
            {{"proplet_id", printable(member, 64)}});
}

void SealedWire::tick() {
  if (!is_on()) return;
  if (const auto read = read_keys(); !read) {
    log::error("fleet.group_keys_unread", read.error().message + "; the keys in memory are used on",
               {{"code", std::string{read.error().code.name()}}});
  }
  for (auto& message : held_.take()) {
    const auto topic = message.topic;
    if (auto opened = open(std::move(message))) deliver_(topic, std::move(*opened));
  }
}

Result<> SealedOutbox::send(Topic topic, std::string payload) {
  if (wire_ == nullptr) return inner_.send(topic, std::move(payload));
  for (auto& form : TRY(wire_->outgoing(topic, std::move(payload)))) TRY(inner_.send(topic, std::move(form)));
  return {};
}

// What is told of the sealed form counts for both.
Result<> SealedOutbox::post(Topic topic, std::string payload, Done done) {
  if (wire_ == nullptr) return inner_.post(topic, std::move(payload), std::move(done));
  auto forms = TRY(wire_->outgoing(topic, std::move(payload)));
  for (std::size_t i = 1; i < forms.size(); ++i) TRY(inner_.post(topic, std::move(forms[i]), [](const Result<>&) {}));
  return inner_.post(topic, std::move(forms.front()), std::move(done));
}

}  // namespace coffer::fleet::manager
