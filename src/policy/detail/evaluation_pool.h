// Threads that policies are parsed and evaluated on. regorus cannot be interrupted everywhere, so the caller waits
// until its deadline and then goes on: the thread is counted as lost until it comes back by itself. One that asks for
// more memory than it may have never comes back.
#pragma once

#include <chrono>
#include <functional>

namespace coffer::policy::detail {

using SteadyTime = std::chrono::steady_clock::time_point;

enum class Outcome {
  done,
  timed_out,      // `work` still runs; it owns what it uses
  out_of_memory,  // `work` was stopped for good
  overloaded,     // `work` was not begun: too many lost threads, or none was free before the deadline
};

inline constexpr std::size_t max_lost_threads = 2;
inline constexpr std::size_t max_evaluation_memory = std::size_t{512} << 20;  // bytes
inline constexpr std::size_t evaluation_stack = std::size_t{64} << 20;        // bytes, of which the touched ones exist

// Runs `work` on a thread of the process-wide pool. `work` holds everything it touches by value or shared ownership,
// because it may outlive this call, and does not throw.
Outcome run_bounded(std::function<void()> work, SteadyTime deadline);

// How many threads are lost at this moment.
std::size_t lost_threads();

}  // namespace coffer::policy::detail
