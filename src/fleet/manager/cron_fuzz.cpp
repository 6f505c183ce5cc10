// A cron expression and a zone, split at the first line feed: what parses has a next time that lies ahead.
#include <cstdlib>

#include "fleet/manager/cron.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace coffer;
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  const auto line = text.find('\n');
  const auto cron = fleet::manager::Cron::parse(text.substr(0, line));
  if (!cron) return 0;
  const auto zone = line == std::string_view::npos ? std::string_view{} : text.substr(line + 1);
  const auto now = from_unix_seconds(1'767'225'600);
  const auto next = cron->next(now, zone);
  if (next && *next && **next <= now) std::abort();
  return 0;
}
