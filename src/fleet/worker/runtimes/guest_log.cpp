#include "fleet/worker/runtimes/guest_log.h"

#include <algorithm>

#include "base/log.h"

namespace coffer::fleet::worker {

wasm::Sink GuestLog::sink() {
  return [this](ByteView data) {
    total_ += data.size();
    const auto part = as_text(data.first(std::min(data.size(), limit_ - logged_)));
    logged_ += part.size();
    if (!part.empty()) log::info("worker.guest_output", part, {{"task", task_}, {"stream", stream_}});
    return true;
  };
}

void GuestLog::finish() const {
  if (missing() == 0) return;
  log::info("worker.guest_output_missing", "the task wrote more than is logged of it",
            {{"task", task_}, {"stream", stream_}, {"bytes", std::to_string(missing())}});
}

}  // namespace coffer::fleet::worker
