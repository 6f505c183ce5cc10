// elastic:hal/clock.
#include <array>

#include "workload/hal/interface.h"

namespace coffer::workload::hal {
namespace {

using std::chrono::duration_cast;
using std::chrono::nanoseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;

constexpr std::uint64_t resolution_ns = 1;

// {"seconds": ..., "nanoseconds": ...} under these names.
Value time_record(std::string_view whole, std::string_view part, nanoseconds time) {
  const auto full = std::chrono::floor<seconds>(time);
  return record(field(whole, static_cast<std::uint64_t>(full.count())),
                field(part, static_cast<std::uint64_t>((time - full).count())));
}

class ClockInterface final : public Table<ClockInterface> {
 public:
  static constexpr std::string_view id = "elastic:hal/clock@0.1.0";
  static std::span<const Function<ClockInterface>> table();
  explicit ClockInterface(const Context& context) : services_(context.services), waiting_(context.waiting) {}

 private:
  Result<Value> system_time(Arguments&) {
    const auto now = services_.clock->now().time_since_epoch();
    if (now.count() < 0) return fail(HalError::unavailable, "this machine's clock stands before 1970");
    return time_record("seconds", "nanoseconds", now);
  }
  // Since the task began.
  Result<Value> monotonic_time(Arguments&) {
    return time_record("elapsed-seconds", "elapsed-nanoseconds", steady_clock::now() - started_);
  }
  Result<Value> resolution(Arguments&) { return Value{resolution_ns}; }
  Result<Value> sleep(Arguments& arguments) {
    constexpr auto longest = static_cast<std::uint64_t>(nanoseconds::max().count());
    const auto asked = std::min(TRY(arguments.u64()), longest);
    TRY(waiting_.sleep(nanoseconds{static_cast<std::int64_t>(asked)}));
    return nothing();
  }

  const Services& services_;
  const Waiting& waiting_;
  const steady_clock::time_point started_ = steady_clock::now();
};

std::span<const Function<ClockInterface>> ClockInterface::table() {
  static constexpr std::array<Function<ClockInterface>, 4> functions = {{
      {"get-system-time", 0, &ClockInterface::system_time},
      {"get-monotonic-time", 0, &ClockInterface::monotonic_time},
      {"resolution", 0, &ClockInterface::resolution},
      {"sleep", 1, &ClockInterface::sleep},
  }};
  return functions;
}

}  // namespace

std::unique_ptr<Interface> make_clock(const Context& context) {
  return std::make_unique<ClockInterface>(context);
}

}  // namespace coffer::workload::hal
