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
  // Keeps other processes away from log and write-ahead entry until the answer goes away; by default there are none.
  virtual Result<std::shared_ptr<const void>> lock() { return nullptr; }
};

struct AgentLogPaths {
  std::filesystem::path log = "/run/attestation-agent/eventlog";
  std::filesystem::path wal = "/run/attestation-agent/.wal_event_entry";
  // $AAEL_PATH, where it is set, names the log. `root` stands for "/" in tests.
  static AgentLogPaths from_environment(const std::filesystem::path& root = "/");
};
// Directories are made as needed; files have mode 0600. storage_failed.
std::unique_ptr<AgentLogStorage> file_storage(AgentLogPaths paths);
// Held by who quotes registers and then reads the log, so that no event comes between. Nothing to hold where no event
// was ever logged. storage_failed.
Result<std::shared_ptr<const void>> hold_agent_log(const AgentLogPaths& paths);

// A log that ends with the program, of a machine that does so as well: a simulated one.
class MemoryAgentLog {
 public:
  std::unique_ptr<AgentLogStorage> storage() const;
  Bytes read() const;

 private:
  struct State;
  class Storage;
  static std::shared_ptr<State> make_state();
  std::shared_ptr<State> state_ = make_state();
};

class AgentEventLog {
 public:
  // Finishes what a crash has interrupted. The attester must outlive the log. EvidenceError::not_supported where it has
  // no register to extend; bad_wal where no register holds the value from before or after the interrupted extension, or
  // the log ends before the place of its entry.
  static Result<std::unique_ptr<AgentEventLog>> open(const Attester& attester,
                                                     std::unique_ptr<AgentLogStorage> storage);
  virtual ~AgentEventLog() = default;

  // Extends the register of `pcr_index` with "<domain> <operation> <content>" and appends the entry. Calls are
  // serialised. bad_entry where one holds a newline or no UTF-8, or domain or operation is empty or holds a space.
  // After an error of attester or storage the event is either in register and log or in neither; where that could not
  // be established, the next call does so first.
  virtual Result<> extend(unsigned pcr_index, std::string_view domain, std::string_view operation,
                          std::string_view content) = 0;
};

// data of an entry: "AAEL" id, length, text.
Bytes agent_event_data(std::string_view text);
// The entry itself: one digest over agent_event_data.
Bytes agent_event_entry(const MeasurementRegister& target, std::string_view text);

// Stands for a missing CCEL, as upstream's agents send it: lists SHA-384 and SM3.
ByteView agent_log_header();

// What evidence carries: the firmware's log up to its end mark, then the agent's log, then 8 bytes 0xff. `header`
// stands for a firmware's log that is missing. Nothing where there is neither. An error where the firmware's log does
// not parse.
Result<std::optional<Bytes>> combine_logs(const std::optional<Bytes>& firmware, ByteView agent_log,
                                          ByteView header = agent_log_header());
// The same from this machine: <root>/sys/firmware/acpi/tables/data/CCEL and the agent's log. storage_failed where one
// is there and cannot be read.
Result<std::optional<Bytes>> read_combined_log(const std::filesystem::path& root = "/");
// A file of at most max_log_size bytes, nothing where there is none; storage_failed. Reads on where sysfs states size
// 0.
Result<std::optional<Bytes>> read_log_file(const std::filesystem::path& file);

}  // namespace coffer::evidence::eventlog
