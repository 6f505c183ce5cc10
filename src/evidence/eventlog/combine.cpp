#include <array>

#include "base/byte_reader.h"
#include "evidence/eventlog/agent_event_log.h"

namespace coffer::evidence::eventlog {

namespace {

constexpr std::size_t mark_size = 8;

// Unlike LogWriter's header this one has no signature: it is upstream's, byte for byte (guest-components.md 2.6).
Bytes make_header() {
  using crypto::HashAlgorithm;
  ByteWriter out;
  out.u32_le(0).u32_le(std::to_underlying(EventType::no_action)).zeros(20).u32_le(37);
  out.zeros(24).u32_le(2);
  for (const auto each : {HashAlgorithm::sha384, HashAlgorithm::sm3}) {
    out.u16_le(algorithm_id(each)).u16_le(static_cast<std::uint16_t>(crypto::digest_size(each)));
  }
  return out.u8(0).take();
}

}  // namespace

ByteView agent_log_header() {
  static const Bytes header = make_header();
  return header;
}

Result<std::optional<Bytes>> combine_logs(const std::optional<Bytes>& firmware, ByteView agent_log, ByteView header) {
  if (!firmware && agent_log.empty()) return std::nullopt;
  Bytes out = firmware ? *firmware : to_bytes(header);
  if (firmware) out.resize(TRY(EventLog::parse(*firmware)).size());
  out.insert(out.end(), agent_log.begin(), agent_log.end());
  out.insert(out.end(), mark_size, std::byte{0xff});
  return out;
}

Result<std::optional<Bytes>> read_combined_log(const std::filesystem::path& root) {
  const auto ccel = TRY(read_log_file(root / "sys/firmware/acpi/tables/data/CCEL"));
  const auto agent_log = TRY(read_log_file(AgentLogPaths::from_environment(root).log));
  return combine_logs(ccel, agent_log.value_or(Bytes{}));
}

}  // namespace coffer::evidence::eventlog
