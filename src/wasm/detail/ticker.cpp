#include "wasm/detail/ticker.h"

#include <chrono>

namespace coffer::wasm::detail {
namespace {

constexpr std::chrono::milliseconds epoch{10};

}  // namespace

Ticker::Ticker(std::function<void()> tick) : tick_(std::move(tick)), thread_([this] { serve(); }) {}

Ticker::~Ticker() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

void Ticker::serve() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return stopping_ || running_ > 0; });
    if (stopping_ || changed_.wait_for(lock, epoch, [this] { return stopping_; })) return;
    tick_();
  }
}

Ticker::Running::Running(Ticker& ticker) : ticker_(ticker) {
  {
    const std::lock_guard lock(ticker_.mutex_);
    ++ticker_.running_;
  }
  ticker_.changed_.notify_one();
}

Ticker::Running::~Running() {
  const std::lock_guard lock(ticker_.mutex_);
  --ticker_.running_;
}

}  // namespace coffer::wasm::detail
