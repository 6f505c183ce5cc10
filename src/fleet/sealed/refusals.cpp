#include "fleet/sealed/refusals.h"

#include "base/log.h"
#include "base/printable.h"

namespace coffer::fleet::sealed {

bool Refusals::note(const Error& why, std::string_view topic, Instant now) {
  count_(why.code.name());
  std::size_t unsaid = 0;
  {
    const std::lock_guard lock(mutex_);
    auto& kind = kinds_[why.code.name()];
    if (kind.any && now - kind.logged < std::chrono::seconds{1}) {
      ++kind.unsaid;
      return false;
    }
    kind.any = true;
    kind.logged = now;
    unsaid = std::exchange(kind.unsaid, 0);
  }
  log::warn(event_, printable(why.message, 512),
            {{"code", std::string{why.code.name()}},
             {"topic", printable(topic, 256)},
             {"not_logged", std::to_string(unsaid)}});
  return true;
}

}  // namespace coffer::fleet::sealed
