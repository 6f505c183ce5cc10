// Messages of one connection that somebody works on: while there is one, nothing is written to the broker.
#pragma once

#include <atomic>
#include <memory>

#include "net/detail/wake.h"

namespace coffer::net::detail {

class HeldMessages : public std::enable_shared_from_this<HeldMessages> {
 public:
  // `wake` is rung when the last one is let go.
  static std::shared_ptr<HeldMessages> create(std::shared_ptr<const Wake> wake) {
    return std::shared_ptr<HeldMessages>{new HeldMessages{std::move(wake)}};
  }
  // Counts until the last copy is gone, whatever became of the connection.
  std::shared_ptr<const void> receipt();
  std::size_t count() const { return count_; }

 private:
  explicit HeldMessages(std::shared_ptr<const Wake> wake) : wake_(std::move(wake)) {}

  const std::shared_ptr<const Wake> wake_;
  std::atomic<std::size_t> count_ = 0;
};

}  // namespace coffer::net::detail
