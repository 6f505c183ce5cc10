// Names of topics as a broker delivers them: what is one of ours is the topic that we write ourselves.
#include <cstdint>
#include <cstdlib>

#include "fleet/topics.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace coffer::fleet;
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  static const auto topics = *Topics::create("t", "c");
  const auto kind = topics.classify(text);
  if (kind && *kind != Topic::round_update && topics.of(*kind) != text) std::abort();
  if (const auto update = parse_round_update_topic(text)) {
    if (round_update_topic(update->round, update->proplet) != text) std::abort();
  }
  const auto named = Topics::create(text, text);
  if (named && named->classify(named->of(Topic::start)) != Topic::start) std::abort();
  if (is_uuid(text) && text.size() != 36) std::abort();
  return 0;
}
