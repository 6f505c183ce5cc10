#include "wasm/detail/ticker.h"

#include <chrono>

namespace coffer::wasm::detail {
namespace {

constexpr std::chrono::milliseconds epoch{10};
constexpr int idle_epochs = 50;  // until it sleeps: waking it up costs more than a short call

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
    asleep_ = true;
    changed_.wait(lock, [this] { return stopping_ || running_ > 0; });
    asleep_ = false;
    for (int idle = 0; idle < idle_epochs; idle = running_ > 0 ? 0 : idle + 1) {
      if (stopping_ || changed_.wait_for(lock, epoch, [this] { return stopping_; })) return;
      tick_();
    }
  }
}

Ticker::Running::Running(Ticker& ticker) : ticker_(ticker) {
  bool wake = false;
  {
    const std::lock_guard lock(ticker_.mutex_);
    ++ticker_.running_;
    wake = ticker_.asleep_;
  }
  if (wake) ticker_.changed_.notify_one();
}

Ticker::Running::~Running() {
  const std::lock_guard lock(ticker_.mutex_);
  --ticker_.running_;
}

}  // namespace coffer::wasm::detail
