#include "appraisal/detail/measured_boot.h"

#include <algorithm>
#include <map>
#include <optional>

#include "evidence/eventlog/diff.h"

namespace coffer::appraisal::detail {

namespace json = codec::json;
namespace eventlog = evidence::eventlog;

namespace {

struct Compared {
  evidence::TeeKind tee;
  std::string_view reference;
  std::string_view register_name;
  crypto::HashAlgorithm algorithm;
};
constexpr Compared compared[] = {
    {evidence::TeeKind::tpm, "tpm_events", "PCR", crypto::HashAlgorithm::sha256},
    {evidence::TeeKind::tdx, "tdx_events", "event log register", crypto::HashAlgorithm::sha384},
};

// Nothing where the owner's value is not in the form of `coffer measure`.
std::optional<eventlog::EventSummary> read_event(const json::Value& value) {
  const auto text = [&](std::string_view key) {
    const auto* member = value.find(key);
    return member != nullptr && member->if_string() != nullptr ? *member->if_string() : std::string{};
  };
  const auto* index = value.find("index");
  const auto number = index != nullptr ? index->if_uint64() : std::nullopt;
  if (!number || *number > UINT32_MAX) return std::nullopt;
  return eventlog::EventSummary{static_cast<std::uint32_t>(*number), text("type_name"), text("digest"),
                                text("description")};
}

using Registers = std::map<std::uint32_t, std::vector<eventlog::EventSummary>>;

Registers by_register(const std::vector<eventlog::EventSummary>& events) {
  Registers out;
  for (const auto& event : events) out[event.index].push_back(event);
  return out;
}

// Empty where it is not in the form of `coffer measure`.
Registers read_machine(const json::Value& value) {
  Registers out;
  if (value.if_array() == nullptr) return out;
  for (const auto& each : *value.if_array()) {
    const auto event = read_event(each);
    if (!event) return {};
    out[event->index].push_back(*event);
  }
  return out;
}

// One machine's events, or a list of them for each of several.
std::vector<Registers> read_reference(const json::Value& value) {
  std::vector<Registers> out;
  const auto* array = value.if_array();
  if (array == nullptr || array->empty()) return out;
  const bool several = array->front().is_array();
  const auto add = [&out](const json::Value& events) {
    if (auto machine = read_machine(events); !machine.empty()) out.push_back(std::move(machine));
  };
  if (!several) add(value);
  for (std::size_t i = 0; several && i < array->size(); ++i) add((*array)[i]);
  return out;
}

// How a boot differs from one machine's: the first event of each register, and how many agreed before those.
struct Deviation {
  std::vector<eventlog::Difference> differences{};
  std::size_t agreed = 0;

  bool nearer_than(const Deviation& other) const {
    if (differences.size() != other.differences.size()) return differences.size() < other.differences.size();
    return agreed > other.agreed;
  }
};

Deviation deviation(const Registers& machine, const Registers& found) {
  Deviation out;
  for (const auto& [index, expected] : machine) {
    const auto actual = found.find(index);
    const auto difference =
        eventlog::diff(expected, actual == found.end() ? std::vector<eventlog::EventSummary>{} : actual->second);
    out.agreed += difference ? difference->position : expected.size();
    if (difference) out.differences.push_back(*difference);
  }
  return out;
}

json::Value shown(const std::optional<eventlog::EventSummary>& event) {
  if (!event) return "no further event";
  return json::Object{{"event", event->description}, {"digest", event->digest}};
}

policy::Condition condition_of(const Compared& how, const eventlog::Difference& difference, std::size_t machines) {
  const auto nearest =
      machines > 1 ? "of the " + std::to_string(machines) + " machines known, the nearest: " : std::string{};
  return {.rule = "measured boot",
          .line = 0,
          .text = nearest + eventlog::to_text(difference, how.register_name),
          .held = false,
          .claim = "input." + std::string{wire_name(how.tee)} + ".uefi_event_logs",
          .actual = shown(difference.actual),
          .expected = shown(difference.expected)};
}

}  // namespace

Result<std::vector<policy::Condition>> measured_boot_conditions(evidence::TeeKind tee, const json::Object& annotated,
                                                                const policy::ReferenceValues& reference_values) {
  std::vector<policy::Condition> out;
  const auto* how = std::ranges::find(compared, tee, &Compared::tee);
  const auto* claims = annotated.find(wire_name(tee));
  const auto* log = claims != nullptr ? claims->find("uefi_event_logs") : nullptr;
  if (how == std::end(compared) || log == nullptr) return out;
  const auto reference = TRY(reference_values(std::string{how->reference}));
  const auto actual = eventlog::summarize(*log, how->algorithm);
  if (!reference || !actual) return out;
  const auto found = by_register(*actual);
  const auto machines = read_reference(*reference);
  std::optional<Deviation> nearest;
  for (const auto& machine : machines) {
    auto each = deviation(machine, found);
    if (!nearest || each.nearer_than(*nearest)) nearest = std::move(each);
  }
  if (!nearest) return out;
  for (const auto& each : nearest->differences) out.push_back(condition_of(*how, each, machines.size()));
  return out;
}

}  // namespace coffer::appraisal::detail
