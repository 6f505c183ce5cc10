#include "fleet/manager/graph.h"

#include <algorithm>
#include <map>

namespace coffer::fleet::manager {
namespace {

using Places = std::map<std::string_view, std::size_t>;

Result<Places> places_of(std::span<const Task> tasks) {
  Places places;
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    if (!places.emplace(tasks[i].id(), i).second) {
      return fail(ManagerError::conflict, "the id \"" + tasks[i].id() + "\" is given to two tasks");
    }
  }
  return places;
}

// Removes what nothing stands before, again and again; what is left depends on itself.
std::vector<bool> in_circles(std::span<const Task> tasks, const Places& places) {
  std::vector<std::size_t> open(tasks.size());
  std::vector<std::vector<std::size_t>> dependents(tasks.size());
  std::vector<std::size_t> free;
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    open[i] = tasks[i].depends_on.size();
    if (open[i] == 0) free.push_back(i);
    for (const auto& id : tasks[i].depends_on) dependents[places.at(id)].push_back(i);
  }
  std::vector<bool> left(tasks.size(), true);
  while (!free.empty()) {
    const auto task = free.back();
    free.pop_back();
    left[task] = false;
    for (const auto next : dependents[task]) {
      if (--open[next] == 0) free.push_back(next);
    }
  }
  return left;
}

}  // namespace

Result<> check_graph(std::span<const Task> tasks) {
  const auto places = TRY(places_of(tasks));
  for (const auto& task : tasks) {
    for (const auto& id : task.depends_on) {
      if (places.contains(id)) continue;
      return fail(ManagerError::bad_graph,
                  "task \"" + task.work.name + "\" depends on \"" + id + "\", which is not among the tasks");
    }
  }
  const auto left = in_circles(tasks, places);
  std::string names;
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    if (left[i] && names.size() < 512) names += (names.empty() ? "" : ", ") + tasks[i].work.name;
  }
  if (names.empty()) return {};
  return fail(ManagerError::bad_graph, "the dependencies go in a circle, through or behind: " + names);
}

Readiness readiness(const Task& task, const StateOf& state_of) {
  bool all_completed = true;
  bool any_failed = false;
  for (const auto& id : task.depends_on) {
    const auto state = state_of(id);
    if (!is_terminal(state)) return Readiness::waits;
    all_completed = all_completed && state == TaskState::completed;
    any_failed = any_failed || state == TaskState::failed;
  }
  return (task.run_if == "failure" ? any_failed : all_completed) ? Readiness::ready : Readiness::skipped;
}

}  // namespace coffer::fleet::manager
