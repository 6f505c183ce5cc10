// The attestation agent's event log (AAEL): runtime measurements, each extended into a register and appended to a file
// (guest-components.md 2.6). Extending cannot be undone and appending can fail, so what is about to happen is written
// ahead; after a crash between the two the register tells whether the entry has still to be appended.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string_view>

#include "evidence/eventlog/event_log.h"
#include "evidence/tee.h"

namespace coffer::evidence::eventlog {

// Where log and write-ahead entry are kept. Each function is durable when it returns.
class AgentLogStorage {
 public:
  virtual ~AgentLogStorage() = default;
  virtual Result<Bytes> read_log() = 0;  // empty where there is none
  // Makes the log exactly `size` bytes of what it holds plus `entry`: rests of an append that a crash cut are dropped.
  virtual Result<> append_log(std::size_t size, ByteView entry) = 0;
  virtual Result<std::optional<Bytes>> read_wal() = 0;
  virtual Result<> write_wal(ByteView entry) = 0;
  virtual Result<> remove_wal() = 0;
};

struct AgentLogPaths {
  std::filesystem::path log = "/run/attestation-agent/eventlog";
  std::filesystem::path wal = "/run/attestation-agent/.wal_event_entry";
  // $AAEL_PATH, where it is set, names the log.
  static AgentLogPaths from_environment();
};
// Directories are made as needed; files have mode 0600. storage_failed.
std::unique_ptr<AgentLogStorage> file_storage(AgentLogPaths paths);

class AgentEventLog {
 public:
  // Finishes what a crash has interrupted. The attester must outlive the log. not_supported (EvidenceError) where it
  // has no register to extend; bad_wal where the register holds neither the value before nor the one after the
  // interrupted extension.
  static Result<std::unique_ptr<AgentEventLog>> open(const Attester& attester,
                                                     std::unique_ptr<AgentLogStorage> storage);
  virtual ~AgentEventLog() = default;

  // Extends the register of `pcr_index` with "<domain> <operation> <content>" and appends the entry. None of the three
  // may be empty or hold a newline, domain and operation no space: bad_entry. Calls are serialised. An error after
  // which it is unknown whether the register was extended makes every later call fail with bad_wal until open() has
  // recovered.
  virtual Result<> extend(unsigned pcr_index, std::string_view domain, std::string_view operation,
                          std::string_view content) = 0;
};

// data of an entry: "AAEL" id, length, text.
Bytes agent_event_data(std::string_view text);
// The entry itself: one digest over agent_event_data.
Bytes agent_event_entry(const MeasurementRegister& target, std::string_view text);

// What evidence carries: CCEL up to its end mark, then the agent's log, then 8 bytes 0xff. Where there is an agent's
// log without CCEL, a header stands for it. Nothing where there is neither.
std::optional<Bytes> combine_logs(const std::optional<Bytes>& ccel, const Bytes& agent_log);
// The same from this machine: <root>/sys/firmware/acpi/tables/data/CCEL and the agent's log. storage_failed where one
// is there and cannot be read.
Result<std::optional<Bytes>> read_combined_log(const std::filesystem::path& root = "/");

}  // namespace coffer::evidence::eventlog
