#include "fleet/topics.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/printable.h"
#include "codec/base64.h"
#include "codec/json.h"
#include "crypto/hash.h"
#include "crypto/random.h"
#include "fleet/error.h"

namespace coffer::fleet {
namespace {

constexpr std::array<std::pair<Topic, std::string_view>, 12> suffixes{{
    {Topic::discovery, "/control/proplet/create"},
    {Topic::alive, "/control/proplet/alive"},
    {Topic::node_metrics, "/control/proplet/metrics"},
    {Topic::task_metrics, "/control/proplet/task_metrics"},
    {Topic::results, "/control/proplet/results"},
    {Topic::invoke_results, "/control/proplet/invoke_results"},
    {Topic::start, "/control/manager/start"},
    {Topic::stop, "/control/manager/stop"},
    {Topic::invoke, "/control/manager/invoke"},
    {Topic::fetch, "/registry/proplet"},
    {Topic::chunk, "/registry/server"},
    {Topic::round_start, "/fl/rounds/start"},
}};

constexpr std::size_t max_level = 128;

bool is_forbidden(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return c == '/' || c == '+' || c == '#' || byte < 0x20 || byte == 0x7F;
}

// A string that JSON cannot carry is no UTF-8.
bool is_utf8(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' || c == '\\' ? std::string{'\\', c} : std::string{c};
  return codec::json::parse(quoted + "\"").has_value();
}

Result<> check_level(std::string_view what, std::string_view text) {
  if (text.empty()) return fail(FleetError::bad_identifier, std::string{what} + ": expected an id, found none");
  if (text.size() > max_level)
    return fail(FleetError::bad_identifier,
                std::string{what} + ": expected at most 128 bytes, found " + std::to_string(text.size()));
  if (std::ranges::any_of(text, is_forbidden) || !is_utf8(text))
    return fail(FleetError::bad_identifier, std::string{what} +
                                                ": expected an id that a topic can carry (no '/', '+', '#'), found \"" +
                                                printable(text, 64) + "\"");
  return {};
}

}  // namespace

Result<Topics> Topics::create(std::string_view tenant, std::string_view channel) {
  TRY(check_level("tenant", tenant));
  TRY(check_level("channel", channel));
  return Topics{"m/" + std::string{tenant} + "/c/" + std::string{channel}};
}

std::string Topics::of(Topic topic) const {
  if (topic == Topic::round_update) return round_update_topic("+", "+");
  const auto* found = std::ranges::find(suffixes, topic, &std::pair<Topic, std::string_view>::first);
  return base_ + std::string{found->second};
}

std::optional<Topic> Topics::classify(std::string_view topic) const {
  if (parse_round_update_topic(topic)) return Topic::round_update;
  if (!topic.starts_with(base_)) return std::nullopt;
  topic.remove_prefix(base_.size());
  for (const auto& [kind, suffix] : suffixes)
    if (topic == suffix) return kind;
  return std::nullopt;
}

std::string round_update_topic(std::string_view round, std::string_view proplet) {
  return "fl/rounds/" + std::string{round} + "/updates/" + std::string{proplet};
}

std::optional<RoundUpdateTopic> parse_round_update_topic(std::string_view topic) {
  constexpr std::string_view begin = "fl/rounds/", middle = "/updates/";
  if (!topic.starts_with(begin)) return std::nullopt;
  topic.remove_prefix(begin.size());
  const auto place = topic.find('/');
  if (place == 0 || place == std::string_view::npos || !topic.substr(place).starts_with(middle)) return std::nullopt;
  const auto proplet = topic.substr(place + middle.size());
  if (proplet.empty() || proplet.contains('/')) return std::nullopt;
  return RoundUpdateTopic{std::string{topic.substr(0, place)}, std::string{proplet}};
}

bool is_uuid(std::string_view text) {
  if (text.size() != 36) return false;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const bool dash = at == 8 || at == 13 || at == 18 || at == 23;
    if (dash ? text[at] != '-' : std::isxdigit(static_cast<unsigned char>(text[at])) == 0) return false;
  }
  return true;
}

namespace {

// RFC 9562 sections 4.1 and 4.2: the variant's and the version's bits.
std::string uuid_text(Bytes bytes, std::byte version) {
  bytes[6] = (bytes[6] & std::byte{0x0F}) | version;
  bytes[8] = (bytes[8] & std::byte{0x3F}) | std::byte{0x80};
  std::string text = codec::hex_encode(bytes);
  for (const std::size_t at : {20U, 16U, 12U, 8U}) text.insert(at, "-");
  return text;
}

}  // namespace

std::string random_uuid() {
  return uuid_text(crypto::system_random().bytes(16), std::byte{0x40});
}

std::string uuid_of(std::initializer_list<std::string_view> name) {
  std::string whole;  // each part after its length, so that no two names are one text
  for (const auto part : name) whole += std::to_string(part.size()) + ":" + std::string{part};
  Bytes digest = crypto::sha256(as_bytes(whole));
  digest.resize(16);
  return uuid_text(std::move(digest), std::byte{0x80});
}

}  // namespace coffer::fleet
