#include "fleet/worker/runtimes/captured_output.h"

#include <algorithm>

namespace coffer::fleet::worker {

wasm::Sink CapturedOutput::sink() {
  return [this](ByteView data) {
    total_ += data.size();
    kept_ += as_text(data.first(std::min(data.size(), limit_ - kept_.size())));
    return true;
  };
}

std::string CapturedOutput::text() const {
  if (total_ == kept_.size()) return kept_;
  return kept_ + "\n[" + std::to_string(total_ - kept_.size()) + " more bytes were written and are not kept]\n";
}

}  // namespace coffer::fleet::worker
