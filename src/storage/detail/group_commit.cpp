#include "storage/detail/group_commit.h"

#include <utility>

#include "storage/key_value_store.h"

namespace coffer::storage::detail {

GroupCommit::Job::Job(const Write& w)
    : write(w), result(fail(StorageError::unavailable, "a write was broken off by an exception")) {}

void GroupCommit::Job::turn_to(State next) {
  {
    const std::scoped_lock lock(mutex_);
    state_ = next;
  }
  turned_.notify_one();
}

GroupCommit::Job::State GroupCommit::Job::wait() {
  std::unique_lock lock(mutex_);
  turned_.wait(lock, [&] { return state_ != State::waiting; });
  return state_;
}

Result<std::size_t> GroupCommit::run(const Write& write) {
  const auto job = std::make_shared<Job>(write);
  bool leads = false;
  {
    const std::scoped_lock lock(mutex_);
    waiting_.push_back(job);
    leads = !std::exchange(led_, true);
  }
  if (leads || job->wait() == Job::State::leading) lead();
  return std::move(job->result);
}

std::size_t GroupCommit::waiting() const {
  const std::scoped_lock lock(mutex_);
  return waiting_.size();
}

// Its own job is among those that wait.
void GroupCommit::lead() {
  Batch batch;
  {
    const std::scoped_lock lock(mutex_);
    batch = std::exchange(waiting_, {});
  }
  perform(batch);
  std::shared_ptr<Job> next;
  {
    const std::scoped_lock lock(mutex_);
    led_ = !waiting_.empty();
    if (led_) next = waiting_.front();
  }
  for (const auto& job : batch) job->turn_to(Job::State::done);
  if (next) next->turn_to(Job::State::leading);  // last, so that those who come back at once are in its transaction
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
  for (const auto& job : batch) changed.push_back(TRY(job->write()));
  return transactions_.commit();
}

}  // namespace coffer::storage::detail
