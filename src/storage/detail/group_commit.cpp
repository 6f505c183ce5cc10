#include "storage/detail/group_commit.h"

#include <utility>

#include "storage/key_value_store.h"

namespace coffer::storage::detail {

Result<std::size_t> GroupCommit::run(const Write& write) {
  Job job{.write = write, .result = fail(StorageError::unavailable, "a write was broken off by an exception")};
  std::unique_lock lock(mutex_);
  waiting_.push_back(&job);
  if (led_) job.turn.wait(lock, [&] { return job.state != Job::State::waiting; });
  if (job.state != Job::State::done) lead(lock);
  return std::move(job.result);
}

std::size_t GroupCommit::waiting() const {
  const std::scoped_lock lock(mutex_);
  return waiting_.size();
}

// Called with the lock, and left with it. Threads are woken under it, because their jobs end when they run.
void GroupCommit::lead(std::unique_lock<std::mutex>& lock) {
  led_ = true;
  const auto batch = std::exchange(waiting_, {});
  lock.unlock();
  perform(batch);
  lock.lock();
  for (auto* job : batch) {
    job->state = Job::State::done;
    job->turn.notify_one();
  }
  led_ = !waiting_.empty();
  if (!led_) return;
  waiting_.front()->state = Job::State::leading;
  waiting_.front()->turn.notify_one();
}

// Throws nothing: others wait for this thread. Without a result of their own they keep the failure of run().
void GroupCommit::perform(const Batch& batch) noexcept {
  try {
    std::vector<std::size_t> changed;
    changed.reserve(batch.size());
    const auto durable = write_all(batch, changed);
    if (!durable) transactions_.roll_back();
    for (std::size_t i = 0; i < batch.size(); ++i) {
      if (durable) {
        batch[i]->result = changed[i];
      } else {
        batch[i]->result = fail(durable.error());
      }
    }
  } catch (...) {
    transactions_.roll_back();
  }
}

Result<> GroupCommit::write_all(const Batch& batch, std::vector<std::size_t>& changed) {
  TRY(transactions_.begin());
  for (const auto* job : batch) changed.push_back(TRY(job->write()));
  return transactions_.commit();
}

}  // namespace coffer::storage::detail
