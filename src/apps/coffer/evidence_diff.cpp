#include "apps/coffer/evidence_diff.h"

#include <algorithm>
#include <array>
#include <map>

#include "base/printable.h"

namespace coffer::cli {
namespace {

using codec::json::Array;
using codec::json::Object;
using codec::json::Value;
namespace eventlog = evidence::eventlog;

constexpr std::string_view events_member = "uefi_event_logs";

using Fields = std::vector<std::pair<std::string, std::string>>;

void flatten(const Value& value, const std::string& name, Fields& out) {
  const auto* object = value.if_object();
  if (object == nullptr) {
    out.emplace_back(name, codec::json::serialize(value));
    return;
  }
  for (const auto& [key, member] : *object) {
    if (key != events_member) flatten(member, name.empty() ? key : name + "." + key, out);
  }
}

Fields flatten(const Object& object) {
  Fields out;
  flatten(Value(object), "", out);
  return out;
}

// Fresh in each piece of evidence by construction.
bool always_new(std::string_view name) {
  constexpr std::array<std::string_view, 10> parts{"report_data", "reportdata", "nonce",      "signature", "qualifying",
                                                   "timestamp",   "report_id",  "clock_info", "challenge", "auth_data"};
  return std::ranges::any_of(parts, [&](std::string_view part) { return name.find(part) != std::string_view::npos; });
}

std::vector<FieldDifference> compare_fields(const Fields& expected, const Fields& actual) {
  std::map<std::string, std::string> rest(actual.begin(), actual.end());
  std::vector<FieldDifference> out;
  for (const auto& [name, value] : expected) {
    const auto other = rest.extract(name);
    const auto found = other.empty() ? std::string{} : other.mapped();
    if (found != value && !always_new(name)) out.push_back({name, value, found});
  }
  for (const auto& [name, value] : rest) {
    if (!always_new(name)) out.push_back({name, "", value});
  }
  return out;
}

// The strongest hash that both logs carry in every event.
std::optional<eventlog::Difference> compare_events(const Object& expected, const Object& actual) {
  const auto* wanted = expected.find(events_member);
  const auto* found = actual.find(events_member);
  if (wanted == nullptr || found == nullptr) return std::nullopt;
  for (const auto algorithm :
       {crypto::HashAlgorithm::sha384, crypto::HashAlgorithm::sha256, crypto::HashAlgorithm::sm3}) {
    const auto a = eventlog::summarize(*wanted, algorithm);
    const auto b = eventlog::summarize(*found, algorithm);
    if (a && b) return eventlog::diff(*a, *b);
  }
  return std::nullopt;
}

}  // namespace

Result<Object> read_unverified(const EvidenceOptions& options, const std::string& file) {
  // Nothing is verified, so the evidence of a simulator and of hardware read alike.
  const auto choice = TRY(evidence::parse_tee_choice(options.tee));
  evidence::RegistryOptions registry_options{.allow_switch = "--tee", .attesters = false};
  if (evidence::is_sample(choice.kind)) registry_options.allow_tees.push_back(options.tee);
  const auto registry = TRY(evidence::Registry::create(registry_options));
  const auto* verifier = TRY(registry.reader(choice.kind));
  return verifier->inspect(TRY(load_evidence(file, *verifier, options)));
}

EvidenceDifference compare_evidence(const Object& expected, const Object& actual) {
  return {.event = compare_events(expected, actual), .fields = compare_fields(flatten(expected), flatten(actual))};
}

std::string EvidenceDifference::to_text() const {
  if (empty()) return "no difference\n";
  std::string out;
  if (event) out += printable(eventlog::to_text(*event, "register")) + "\n";
  for (const auto& field : fields) {
    out += printable(field.name) + "\n  expected  " + printable(field.expected.empty() ? "nothing" : field.expected) +
           "\n  actual    " + printable(field.actual.empty() ? "nothing" : field.actual) + "\n";
  }
  return out;
}

Value EvidenceDifference::to_json() const {
  Object out{{"equal", empty()}};
  if (event) {
    const auto summary = [](const std::optional<eventlog::EventSummary>& of) -> Value {
      if (!of) return {};
      return Object{{"type_name", of->type_name}, {"digest", of->digest}, {"description", of->description}};
    };
    out.set("event", Object{{"register", static_cast<std::int64_t>(event->index)},
                            {"position", static_cast<std::int64_t>(event->position)},
                            {"expected", summary(event->expected)},
                            {"actual", summary(event->actual)}});
  }
  Array list;
  for (const auto& field : fields) {
    list.push_back(Object{{"name", field.name}, {"expected", field.expected}, {"actual", field.actual}});
  }
  out.set("fields", std::move(list));
  return out;
}

}  // namespace coffer::cli
