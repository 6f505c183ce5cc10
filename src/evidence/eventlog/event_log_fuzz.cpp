#include <cstdlib>

#include "evidence/eventlog/diff.h"
#include "evidence/eventlog/event_log.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace coffer;
  using namespace coffer::evidence::eventlog;
  const auto log = EventLog::parse({reinterpret_cast<const std::byte*>(data), size});
  if (!log) return 0;
  const auto claims = codec::json::Value{log->claims()};
  const auto text = codec::json::serialize(claims);
  for (const auto algorithm : log->algorithms()) {
    (void)log->replay(1, algorithm);
    const auto events = summarize(*log, algorithm);
    if (events && diff(*events, *events)) std::abort();
    // What was claimed reads back as what was logged.
    const auto again = summarize(claims, algorithm);
    if (events && (!again || diff(*events, *again))) std::abort();
  }
  return 0;
}
