// Writes of several threads in one transaction: a disk takes as long to make one row durable as to make twenty.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "base/result.h"

namespace coffer::storage::detail {

// What can be written to, by one thread at a time.
class Transactions {
 public:
  virtual ~Transactions() = default;
  virtual Result<> begin() = 0;
  // Durable when it returns.
  virtual Result<> commit() = 0;
  // After a failure of begin(), commit() or anything between.
  virtual void roll_back() noexcept = 0;
};

// No thread of its own: of the threads that want to write, the first does it for all who came until it began; the first
// of those who came meanwhile does it next. So there is nothing to stop, and one thread alone waits for nobody.
class GroupCommit {
 public:
  // How many rows it changed. May be run by another thread; what it captures must live until run() returns.
  using Write = std::function<Result<std::size_t>()>;

  explicit GroupCommit(Transactions& transactions) : transactions_(transactions) {}

  // What `write` gave, once the transaction with it is durable. Where any write of the transaction fails or throws, or
  // its commit does, none of it is kept and each of its threads gets that error.
  Result<std::size_t> run(const Write& write);

  // How many wait for the transaction under way to end.
  std::size_t waiting() const;

 private:
  // Shared with the thread that does it, which wakes its own when it holds no lock that this one needs.
  struct Job {
    explicit Job(const Write& w);
    enum class State { waiting, leading, done };
    void turn_to(State next);
    State wait();

    const Write& write;
    Result<std::size_t> result;

   private:
    std::mutex mutex_;
    std::condition_variable turned_;
    State state_ = State::waiting;
  };
  using Batch = std::vector<std::shared_ptr<Job>>;

  void lead();
  void perform(const Batch& batch) noexcept;
  Result<> write_all(const Batch& batch, std::vector<std::size_t>& changed);

  Transactions& transactions_;
  mutable std::mutex mutex_;
  bool led_ = false;
  Batch waiting_;
};

}  // namespace coffer::storage::detail
