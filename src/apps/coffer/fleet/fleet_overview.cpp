#include "apps/coffer/fleet/fleet_overview.h"

#include "apps/coffer/fleet/fleet_view.h"
#include "apps/coffer/output.h"
#include "base/printable.h"

namespace coffer::cli {
namespace {

using codec::json::Array;
using codec::json::Object;
using codec::json::Value;

constexpr std::size_t most_workers = 1000;
constexpr std::size_t page_size = 100;
constexpr auto rate_window = std::chrono::seconds{5};

std::uint64_t number(const Value& document, std::string_view pointer) {
  const Value* found = document.at_pointer(pointer);
  return found == nullptr ? 0 : found->if_uint64().value_or(0);
}

std::string count(const Value& document, std::string_view pointer) {
  return std::to_string(number(document, pointer));
}

const Array& list(const Value& document, std::string_view key) {
  static const Array none;
  const Value* found = document.find(key);
  const auto* array = found == nullptr ? nullptr : found->if_array();
  return array == nullptr ? none : *array;
}

bool is_alive(const Value& worker) {
  return shown(worker, "alive") == "true";
}

// "3/8", or "3" where the worker does not say how many it takes.
std::string load_of(const Value& worker) {
  const Value* most = worker.at_pointer("/coffer/says/max_tasks");
  return shown(worker, "task_count") + (most == nullptr ? "" : "/" + std::to_string(most->if_uint64().value_or(0)));
}

std::string failure_line(const Value& failure) {
  const auto code = shown(failure, "code").empty() ? std::string{"failed"} : shown(failure, "code");
  const auto at = shown(failure, "at");  // RFC 3339: the time of day stands at its place
  return (at.size() < 19 ? at : at.substr(11, 8)) + "  " + shown(failure, "name") + "  " + code + "  " +
         shown(failure, "error");
}

std::vector<std::string> summary(const Seen& now, const std::string& speed) {
  const auto& all = now.overview;
  return {"workers  " + count(all, "/workers/alive") + " alive, " + count(all, "/workers/verified") + " proven, " +
              count(all, "/workers/silent") + " silent",
          "tasks    " + count(all, "/tasks/running") + " running, " + count(all, "/tasks/queued") + " queued (" +
              count(all, "/tasks/queued_encrypted") + " encrypted)",
          "ended    " + count(all, "/tasks/completed") + " completed" + (speed.empty() ? "" : " (" + speed + ")") +
              ", " + count(all, "/tasks/failed") + " failed"};
}

// "snp", and "snp?" of one that has not proven it: a row has 80 columns.
std::string short_tee(const Value& worker) {
  const auto tee = tee_of(worker);
  return tee.substr(0, tee.find(" (")) + (tee.ends_with("(unproven)") ? "?" : "");
}

std::vector<std::string> worker_lines(const Seen& now) {
  Table table({"WORKER", "NAME", "ALIVE", "LOAD", "TEE"});
  for (const bool alive : {true, false}) {
    for (const auto& worker : now.workers) {
      if (is_alive(worker) != alive) continue;
      table.add({printable(shown(worker, "id"), 36), printable(shown(worker, "name"), 13), alive ? "yes" : "no",
                 load_of(worker), short_tee(worker)});
    }
  }
  return table.lines();
}

std::vector<std::string> failure_lines(const Seen& now) {
  std::vector<std::string> lines{"FAILURES, the latest first"};
  for (const auto& failure : list(now.overview, "failures")) lines.push_back(failure_line(failure));
  return lines.size() == 1 ? std::vector<std::string>{} : lines;
}

// At most `room` of `lines`; what is left out is counted.
void append_some(std::vector<std::string>& page, const std::vector<std::string>& lines, std::size_t room) {
  const bool all = lines.size() <= room;
  const auto shown_lines = all ? lines.size() : std::max<std::size_t>(room, 1) - 1;
  page.insert(page.end(), lines.begin(), lines.begin() + static_cast<std::ptrdiff_t>(shown_lines));
  if (!all) page.push_back("... and " + std::to_string(lines.size() - shown_lines) + " more");
}

}  // namespace

Result<Seen> look(FleetClient& manager) {
  Seen seen {
    .overview = TRY(manager.get("/overview"))
  };
  while (seen.workers.size() < most_workers) {
    const auto page = TRY(
        manager.get("/proplets?limit=" + std::to_string(page_size) + "&offset=" + std::to_string(seen.workers.size())));
    const auto& found = list(page, "proplets");
    seen.workers.insert(seen.workers.end(), found.begin(), found.end());
    if (found.size() < page_size) break;
  }
  return seen;
}

void CompletionRate::add(const Value& overview) {
  const auto at = parse_rfc3339(shown(overview, "at"));
  const auto completed = number(overview, "/tasks/completed");
  if (!samples_.empty() && completed < samples_.back().completed) samples_.clear();  // the manager was started anew
  if (at) samples_.push_back({*at, completed});
  while (samples_.size() > 2 && samples_.back().at - samples_[1].at >= rate_window) samples_.pop_front();
}

std::string CompletionRate::text() const {
  if (samples_.size() < 2 || samples_.back().at <= samples_.front().at) return {};
  const double seconds = std::chrono::duration<double>(samples_.back().at - samples_.front().at).count();
  const auto ended = static_cast<double>(samples_.back().completed - samples_.front().completed);
  const auto tenths = static_cast<std::uint64_t>(ended * 10 / seconds + 0.5);
  return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + "/s";
}

std::vector<std::string> overview_page(const std::string& title, const Seen& now, const std::string& speed,
                                       std::size_t height) {
  std::vector<std::string> page{title};
  for (auto& line : summary(now, speed)) page.push_back(std::move(line));
  page.emplace_back();
  const auto failures = failure_lines(now);
  const std::size_t left = std::max(height, page.size() + 5) - page.size();  // what does not fit is cut off below
  const std::size_t for_failures = std::min(failures.size(), std::max<std::size_t>(left / 3, 2));
  append_some(page, worker_lines(now), left - (failures.empty() ? 0 : for_failures + 1));
  if (failures.empty()) return page;
  page.emplace_back();
  append_some(page, failures, for_failures);
  return page;
}

std::map<std::string, std::string> overview_facts(const Seen& now) {
  std::map<std::string, std::string> out;
  const auto& all = now.overview;
  for (const auto& worker : now.workers) {
    const auto id = shown(worker, "id");
    const auto tee = tee_of(worker);
    out["worker " + id] = "worker " + id + "  " + shown(worker, "name") + "  " +
                          (is_alive(worker) ? "alive" : "silent") + (tee.empty() ? "" : "  " + tee);
  }
  out["tasks"] = "tasks  " + count(all, "/tasks/running") + " running, " + count(all, "/tasks/queued") + " queued, " +
                 count(all, "/tasks/completed") + " completed, " + count(all, "/tasks/failed") + " failed";
  for (const auto& failure : list(all, "failures")) {
    out["failure " + shown(failure, "id") + shown(failure, "at")] =
        "failed " + shown(failure, "id") + "  " + failure_line(failure);
  }
  return out;
}

Object overview_json(const Seen& now) {
  Object out = *now.overview.if_object();
  out.append("proplets", now.workers);
  return out;
}

}  // namespace coffer::cli
