#include "apps/coffer/fleet/fleet_view.h"

#include <array>
#include <iostream>

#include "apps/coffer/output.h"
#include "base/printable.h"

namespace coffer::cli {
namespace {

using codec::json::Array;
using codec::json::Value;

constexpr std::array<std::string_view, 7> states{"Pending", "Scheduled", "Running",    "Completed",
                                                 "Failed",  "Skipped",   "Interrupted"};
constexpr std::size_t running = 2, completed = 3;

std::optional<std::size_t> state_number(const Value& task) {
  const Value* state = task.find("state");
  const auto number = state == nullptr ? std::nullopt : state->if_uint64();
  if (!number || *number >= states.size()) return std::nullopt;
  return number;
}

const Array& items(const Value& page, std::string_view collection) {
  static const Array none;
  const Value* found = page.find(collection);
  const Array* array = found == nullptr ? nullptr : found->if_array();
  return array == nullptr ? none : *array;
}

// Upstream's zero time says that something has not happened.
bool says_something(const Value& value) {
  const auto* text = value.if_string();
  if (text != nullptr) return !text->empty() && !text->starts_with("0001-01-01");
  if (const bool* flag = value.if_bool()) return *flag;
  const auto* array = value.if_array();
  return !value.is_null() && (array == nullptr || !array->empty());
}

}  // namespace

std::string tee_of(const Value& worker) {
  const Value* verified = worker.at_pointer("/coffer/verified");
  if (verified != nullptr && verified->if_bool() != nullptr && *verified->if_bool())
    return shown(*worker.find("coffer"), "tee") + " (verified)";
  const Value* said = worker.at_pointer("/coffer/says/tee/type");
  const auto* text = said == nullptr ? nullptr : said->if_string();
  return text == nullptr ? "" : *text + " (unproven)";
}

std::string task_state_name(const Value& task) {
  const auto number = state_number(task);
  return number ? std::string{states.at(*number)} : shown(task, "state");
}

bool is_terminal(const Value& task) {
  return state_number(task).value_or(0) > running;
}

bool is_completed(const Value& task) {
  return state_number(task) == completed;
}

std::string shown(const Value& object, std::string_view key) {
  const Value* member = object.find(key);
  if (member == nullptr || member->is_null()) return {};
  const auto* text = member->if_string();
  return printable(text != nullptr ? *text : codec::json::serialize(*member));
}

void print_task(const Value& task) {
  const auto* object = task.if_object();
  if (object == nullptr) return;
  for (const auto& [key, value] : *object) {
    if (key == "state") {
      std::cout << key << ": " << task_state_name(task) << "\n";
    } else if (says_something(value)) {
      std::cout << key << ": " << (key == "file" ? std::string{"(module)"} : shown(task, key)) << "\n";
    }
  }
  std::cout.flush();
}

void print_extent(const Value& page, std::string_view collection) {
  const auto count = items(page, collection).size();
  const Value* total = page.find("total");
  const auto all = total == nullptr ? std::nullopt : total->if_uint64();
  const Value* offset = page.find("offset");
  const auto first = offset == nullptr ? 0 : offset->if_uint64().value_or(0);
  if (!all || *all == count) return;
  std::cout << first + (count > 0 ? 1 : 0) << " to " << first + count << " of " << *all << "; see --offset and --limit"
            << std::endl;
}

void print_tasks(const Value& page) {
  Table table({"ID", "NAME", "STATE", "WORKER", "IMAGE", "RESULT"});
  for (const Value& task : items(page, "tasks")) {
    const std::string outcome = shown(task, "error").empty() ? shown(task, "results") : shown(task, "error");
    const std::string image = shown(task, "image_url") + (shown(task, "encrypted") == "true" ? " (encrypted)" : "");
    table.add({shown(task, "id"), shown(task, "name"), task_state_name(task), shown(task, "proplet_id"), image,
               printable(outcome, 60)});
  }
  table.print("no tasks");
  print_extent(page, "tasks");
}

void print_workers(const Value& page) {
  Table table({"ID", "NAME", "ALIVE", "TASKS", "TEE", "LAST SEEN"});
  for (const Value& worker : items(page, "proplets"))
    table.add({shown(worker, "id"), shown(worker, "name"), shown(worker, "alive") == "true" ? "yes" : "no",
               shown(worker, "task_count"), tee_of(worker), shown(worker, "last_alive_at")});
  table.print("no workers");
  print_extent(page, "proplets");
}

void print_jobs(const Value& page) {
  Table table({"ID", "NAME", "STATE", "MODE", "TASKS"});
  for (const Value& job : items(page, "jobs"))
    table.add({shown(job, "job_id"), shown(job, "name"), task_state_name(job), shown(job, "execution_mode"),
               std::to_string(items(job, "tasks").size())});
  table.print("no jobs");
  print_extent(page, "jobs");
}

}  // namespace coffer::cli
