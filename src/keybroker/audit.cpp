#include "keybroker/audit.h"

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include "base/byte_reader.h"
#include "codec/base64.h"
#include "keybroker/refusal.h"
#include "keybroker/sweep.h"

namespace coffer::keybroker {
namespace {

namespace json = codec::json;

constexpr std::string_view space = "audit";
constexpr std::size_t page = 1000;
constexpr std::size_t time_width = 15;

// What any guest can cause without the owner's policy having said yes.
char kind_of(Decision decision) {
  switch (decision) {
    case Decision::denied: return 'd';
    case Decision::attested: return 'a';
    case Decision::released:
    case Decision::done: return 'r';
  }
  return 'd';
}

// "001795253277123-0000002a-9f86d081884c7d65-d": milliseconds since 1970 in a fixed width and a sequence number, so
// that keys sort as records were made; randomness, so that replicas never collide; and the kind of record, so that
// pruning need not read it.
std::string time_part(TimePoint time) {
  auto text = std::to_string(time.time_since_epoch().count());
  return text.insert(0, time_width - std::min(text.size(), time_width), '0');
}

std::string make_key(TimePoint now, std::uint32_t sequence, crypto::RandomSource& random, Decision decision) {
  const auto number = ByteWriter{}.u32_be(sequence).take();
  return time_part(now) + "-" + codec::hex_encode(number) + "-" + codec::hex_encode(random.bytes(8)) + "-" +
         kind_of(decision);
}

void set_filled(json::Object& object, std::string_view key, const std::string& value) {
  if (!value.empty()) object.set(key, shortened(value));
}

json::Object to_json(const AuditRecord& record, const std::string& id, TimePoint now) {
  json::Object out{
      {"id", id}, {"time", format_rfc3339(now)}, {"action", record.action}, {"decision", name_of(record.decision)}};
  set_filled(out, "code", record.code);
  set_filled(out, "reason", record.reason);
  set_filled(out, "session", record.session);
  set_filled(out, "peer", record.peer);
  set_filled(out, "admin", record.admin);
  set_filled(out, "tee", record.tee);
  set_filled(out, "resource", record.resource);
  json::Object policy;
  set_filled(policy, "id", record.policy_id);
  set_filled(policy, "sha256", record.policy_sha256);
  if (!policy.empty()) out.set("policy", std::move(policy));
  json::Object evidence;
  set_filled(evidence, "status", record.status);
  set_filled(evidence, "claims_sha256", record.claims_sha256);
  if (!evidence.empty()) out.set("evidence", std::move(evidence));
  set_filled(out, "token_sha256", record.token_sha256);
  if (!record.explanation.empty()) out.set("explanation", record.explanation);
  return out;
}

Result<std::vector<std::string>> all_keys(storage::KeyValueStore& store) {
  std::vector<std::string> keys;
  while (true) {
    const auto more = TRY(store.list(space, {}, keys.empty() ? std::string{} : keys.back(), page));
    keys.insert(keys.end(), more.begin(), more.end());
    if (more.size() < page) return keys;
  }
}

bool belongs_to(const json::Value& record, const std::string& session) {
  const auto* value = record.find("session");
  return value != nullptr && value->if_string() != nullptr && *value->if_string() == session;
}

}  // namespace

std::string_view name_of(Decision decision) {
  switch (decision) {
    case Decision::attested: return "attested";
    case Decision::released: return "released";
    case Decision::done: return "done";
    case Decision::denied: return "denied";
  }
  return "denied";
}

std::string shortened(std::string_view text) {
  constexpr std::string_view mark = " [cut]";
  if (text.size() <= max_text) return std::string{text};
  return std::string{text.substr(0, max_text - mark.size())} + std::string{mark};
}

Result<std::string> AuditLog::append(const AuditRecord& record) {
  const auto now = clock_.now();
  auto key = make_key(now, sequence_->fetch_add(1), random_, record.decision);
  const auto text = json::serialize(to_json(record, key, now));
  const auto put = store_->put_if(space, key, std::nullopt, as_bytes(text));
  if (!put) return fail(because(BrokerError::storage_failed, "the audit record could not be written", put.error()));
  return key;
}

Result<json::Array> AuditLog::query(const std::optional<std::string>& session, std::size_t last) const {
  const auto keys = TRY(all_keys(*store_));
  json::Array records;
  for (auto key = keys.rbegin(); key != keys.rend() && records.size() < last; ++key) {
    const auto stored = TRY(store_->get(space, *key));
    if (!stored) continue;  // pruned since it was listed
    auto record = json::parse(as_text(*stored));
    if (!record || (session && !belongs_to(*record, *session))) continue;
    records.push_back(*std::move(record));
  }
  std::ranges::reverse(records);
  return records;
}

Result<std::size_t> AuditLog::prune() {
  const auto oldest = time_part(clock_.now() - config_.max_age);
  const auto keys = TRY(all_keys(*store_));
  std::map<char, std::size_t> kept;
  std::vector<std::string> needless;
  for (auto key = keys.rbegin(); key != keys.rend(); ++key) {
    if (++kept[key->back()] <= config_.max_records && std::string_view{*key}.substr(0, time_width) >= oldest) continue;
    needless.push_back(*key);
  }
  return erase_in_pages(*store_, space, needless);
}

}  // namespace coffer::keybroker
