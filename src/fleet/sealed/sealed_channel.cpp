#include "fleet/sealed/sealed_channel.h"

#include <algorithm>
#include <vector>

#include "crypto/aead.h"

namespace coffer::fleet::sealed {
namespace {

// Topics are few, but for those of federated rounds, which name their round.
constexpr std::size_t max_sending = 64;

std::unexpected<Error> no_key() {
  return fail(SealedError::no_key, "this process has no group key that is in force");
}

std::string age_text(const Envelope& envelope, Duration age) {
  return "the payload of " + envelope.sender + " was sent " + std::to_string(age.count()) + " ms ago";
}

// Epochs are random; together with who and where it is one stream, even if somebody takes another's epoch.
std::string stream_name(const Envelope& envelope) {
  return envelope.sender + '\n' + envelope.topic + '\n' + to_text(envelope.epoch);
}

}  // namespace

SealedChannel::SealedChannel(ChannelOptions options, const Clock& clock, crypto::RandomSource& random)
    : options_(std::move(options)), clock_(clock), random_(random), since_(clock.now()) {}

void SealedChannel::set_keys(std::optional<GroupKeys> keys) {
  const std::lock_guard lock(mutex_);
  keys_ = std::move(keys);
  if (!keys_) sending_.clear();
}

bool SealedChannel::ready() const {
  const std::lock_guard lock(mutex_);
  return keys_ && keys_->sending(clock_.now()) != nullptr;
}

bool SealedChannel::has_key(std::string_view id) const {
  const std::lock_guard lock(mutex_);
  return keys_ && keys_->find(id) != nullptr;
}

bool SealedChannel::has_heard(const std::string& sender) const {
  const std::lock_guard lock(mutex_);
  return senders_.contains(sender);
}

Result<SealedChannel::Sending*> SealedChannel::stream_for(std::string_view topic, TimePoint now) {
  const auto* key = keys_ ? keys_->sending(now) : nullptr;
  if (key == nullptr) return no_key();
  auto found = sending_.find(topic);
  if (found != sending_.end() && found->second.next.key_id == key->id &&
      found->second.messages < options_.messages_an_epoch) {
    return &found->second;
  }
  if (found == sending_.end() && sending_.size() >= max_sending) sending_.clear();
  Sending stream;
  stream.next = {.key_id = key->id,
                 .sender = options_.own_id,
                 .topic = std::string{topic},
                 .epoch = random_.bytes(Envelope::epoch_size)};
  stream.key = TRY(stream_key(key->secret, stream.next));
  return &sending_.insert_or_assign(std::string{topic}, std::move(stream)).first->second;
}

Result<std::string> SealedChannel::seal(std::string_view topic, std::string_view payload) {
  const std::lock_guard lock(mutex_);
  const auto now = clock_.now();
  auto& stream = *TRY(stream_for(topic, now));
  auto envelope = stream.next;
  envelope.sent_at = now;
  // Counted before it is used: no failure gives a nonce out twice.
  stream.next.sequence++;
  stream.messages++;
  envelope.ciphertext = TRY(crypto::aes_gcm_seal_joined(stream.key.expose(), nonce_of(envelope),
                                                        associated_data(envelope), as_bytes(payload)));
  return to_json(envelope);
}

Result<std::string> SealedChannel::unseal(const Envelope& envelope) const {
  const auto key = [&]() -> Result<SecretBytes> {
    const std::lock_guard lock(mutex_);
    if (!keys_) return no_key();
    const auto* group_key = keys_->find(envelope.key_id);
    if (group_key == nullptr) {
      return fail(SealedError::unknown_key, "the payload of " + envelope.sender + " is sealed with the key " +
                                                envelope.key_id + ", which is not among ours");
    }
    return stream_key(group_key->secret, envelope);
  }();
  if (!key) return std::unexpected(key.error());
  const auto plain =
      crypto::aes_gcm_open_joined(key->expose(), nonce_of(envelope), associated_data(envelope), envelope.ciphertext);
  if (plain) return to_text(plain->expose());
  return fail(SealedError::bad_tag,
              "the payload that says it is of " + envelope.sender + " was changed, or sealed without the group's key");
}

Result<> SealedChannel::check_time(const Envelope& envelope, TimePoint now) const {
  const auto age = now - envelope.sent_at;
  const auto bound = " at most " + std::to_string(options_.max_age.count()) + " ms are taken (are both clocks right?)";
  if (age < -options_.max_age) {
    return fail(SealedError::from_the_future, age_text(envelope, age) + ", which is to come;" + bound);
  }
  if (options_.lasting && options_.lasting(envelope.topic)) return {};
  if (age > options_.max_age) return fail(SealedError::stale, age_text(envelope, age) + ";" + bound);
  if (envelope.sent_at >= since_ - options_.grace) return {};
  return fail(SealedError::stale, age_text(envelope, age) + ", before this process could hear it");
}

Result<> SealedChannel::check_first(const Envelope& envelope, TimePoint now) {
  const std::lock_guard lock(mutex_);
  if (heard_.size() >= options_.max_streams) make_room(now);
  auto& stream = heard_[stream_name(envelope)];
  stream.last = now;
  if (stream.window.take(envelope.sequence)) {
    if (senders_.size() >= options_.max_streams) senders_.clear();
    senders_.insert(envelope.sender);
    return {};
  }
  return fail(SealedError::replayed, "number " + std::to_string(envelope.sequence) + " of this stream of " +
                                         envelope.sender + " was had already, or lies too far back to tell");
}

// What is older than any payload that would still be taken guards nothing; beyond that the quietest half goes.
void SealedChannel::make_room(TimePoint now) {
  std::erase_if(heard_, [&](const auto& entry) { return now - entry.second.last > 2 * options_.max_age; });
  if (heard_.size() < options_.max_streams) return;
  std::vector<TimePoint> times;
  times.reserve(heard_.size());
  for (const auto& [name, stream] : heard_) times.push_back(stream.last);
  const auto middle = times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2);
  std::ranges::nth_element(times, middle);
  std::erase_if(heard_, [&](const auto& entry) { return entry.second.last <= *middle; });
}

Result<SealedChannel::Opened> SealedChannel::open(std::string_view topic, std::string_view payload) {
  const auto envelope = TRY(parse_envelope(payload));
  if (envelope.topic != topic) {
    return fail(SealedError::wrong_topic, "the payload of " + envelope.sender + " was sealed for " + envelope.topic +
                                              ", and came on " + std::string{topic});
  }
  auto plain = TRY(unseal(envelope));
  const auto now = clock_.now();
  TRY(check_time(envelope, now));
  TRY(check_first(envelope, now));
  return Opened{.payload = std::move(plain), .sender = envelope.sender, .sent_at = envelope.sent_at};
}

}  // namespace coffer::fleet::sealed
