// How tasks, workers and jobs of a fleet are shown.
#pragma once

#include <string>

#include "codec/json.h"

namespace coffer::cli {

// "Running" for upstream's number 2; the number itself where it is none of those.
std::string task_state_name(const codec::json::Value& task);
// Whether nothing will change any more: Completed, Failed, Skipped, Interrupted.
bool is_terminal(const codec::json::Value& task);
bool is_completed(const codec::json::Value& task);

// A member as text: strings as they are, everything else as JSON, nothing as "".
std::string shown(const codec::json::Value& object, std::string_view key);

// "snp (verified)", "snp (unproven)", or nothing.
std::string tee_of(const codec::json::Value& worker);

void print_task(const codec::json::Value& task);  // the members that say something, one a line
void print_tasks(const codec::json::Value& page);
void print_workers(const codec::json::Value& page);
void print_jobs(const codec::json::Value& page);
// "1 to 10 of 25" below a page that is not everything.
void print_extent(const codec::json::Value& page, std::string_view collection);

}  // namespace coffer::cli
