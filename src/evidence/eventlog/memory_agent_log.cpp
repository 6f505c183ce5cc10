#include <mutex>

#include "evidence/eventlog/agent_event_log.h"

namespace coffer::evidence::eventlog {

struct MemoryAgentLog::State {
  std::mutex mutex;
  Bytes log;
  std::optional<Bytes> wal;
};

// AgentEventLog calls it one at a time; the mutex is for those who read the log meanwhile.
class MemoryAgentLog::Storage final : public AgentLogStorage {
 public:
  explicit Storage(std::shared_ptr<State> state) : state_(std::move(state)) {}

  Result<Bytes> read_log() override {
    const std::lock_guard lock{state_->mutex};
    return state_->log;
  }
  Result<> append_log(std::size_t size, ByteView entry) override {
    const std::lock_guard lock{state_->mutex};
    state_->log.resize(size);
    state_->log.insert(state_->log.end(), entry.begin(), entry.end());
    return {};
  }
  Result<std::optional<Bytes>> read_wal() override { return state_->wal; }
  Result<> write_wal(ByteView entry) override {
    state_->wal = to_bytes(entry);
    return {};
  }
  Result<> remove_wal() override {
    state_->wal.reset();
    return {};
  }

 private:
  std::shared_ptr<State> state_;
};

std::shared_ptr<MemoryAgentLog::State> MemoryAgentLog::make_state() {
  return std::make_shared<State>();
}

std::unique_ptr<AgentLogStorage> MemoryAgentLog::storage() const {
  return std::make_unique<Storage>(state_);
}

Bytes MemoryAgentLog::read() const {
  const std::lock_guard lock{state_->mutex};
  return state_->log;
}

}  // namespace coffer::evidence::eventlog
