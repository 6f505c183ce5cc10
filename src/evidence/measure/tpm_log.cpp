#include "evidence/measure/tpm_log.h"

#include <set>

#include "codec/base64.h"
#include "evidence/eventlog/diff.h"
#include "evidence/measure/vm.h"

namespace coffer::evidence::measure {

namespace json = codec::json;

Result<json::Object> reference_values(const eventlog::EventLog& log) {
  constexpr auto algorithm = crypto::HashAlgorithm::sha256;
  json::Object out;
  json::Array events;
  std::set<std::uint32_t> registers;
  for (const auto& event : TRY(eventlog::summarize(log, algorithm))) {
    registers.insert(event.index);
    events.push_back(json::Object{{"index", event.index},
                                  {"type_name", event.type_name},
                                  {"digest", event.digest},
                                  {"description", event.description}});
  }
  for (const auto index : registers) {
    out.set(tpm_register_name(index), json::Array { codec::hex_encode(TRY(log.replay(index, algorithm))) });
  }
  out.set("tpm_events", std::move(events));
  return out;
}

}  // namespace coffer::evidence::measure
