// Bodies of the REST API, chosen by the first byte: what is a task stays one through the store's document.
#include <cstdlib>

#include "fleet/manager/graph.h"
#include "fleet/manager/rest/multipart.h"
#include "fleet/manager/rest/task_body.h"

namespace {

using namespace coffer::fleet::manager;

void round_trip(Task task) {
  task.work.id = "00000000-0000-4000-8000-000000000001";
  const auto document = to_document(task);
  const auto again = parse_document(document);
  if (!again || to_document(*again) != document) std::abort();
}

void check_tasks(const std::vector<TaskBody>& bodies) {
  std::vector<Task> tasks;
  for (const auto& body : bodies) {
    tasks.push_back(body.task);
    if (body.task.schedule.empty()) round_trip(body.task);
  }
  (void)check_graph(tasks);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text{reinterpret_cast<const char*>(data) + 1, size - 1};
  switch (data[0] % 6) {
    case 0:
      if (const auto body = parse_task(text); body && body->task.schedule.empty()) round_trip(body->task);
      break;
    case 1: (void)parse_task_update(text); break;
    case 2:
      if (const auto job = parse_job(text)) check_tasks(job->tasks);
      break;
    case 3:
      if (const auto bodies = parse_workflow(text)) check_tasks(*bodies);
      break;
    case 4: (void)parse_invoke_body(text); break;
    default: {
      const auto line = text.find('\n');
      const auto body = line == std::string_view::npos ? std::string_view{} : text.substr(line + 1);
      (void)find_form_file(text.substr(0, line), coffer::as_bytes(body), "file");
    }
  }
  return 0;
}
