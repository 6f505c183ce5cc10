// Starts a new epoch of its engines every few milliseconds while guests run, and sleeps when none did for a while. A
// guest that spins looks at its deadline once an epoch.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

namespace coffer::wasm::detail {

class Ticker {
 public:
  explicit Ticker(std::function<void()> tick);
  ~Ticker();
  Ticker(const Ticker&) = delete;
  Ticker& operator=(const Ticker&) = delete;

  // Ticks as long as one of these lives.
  class Running {
   public:
    explicit Running(Ticker& ticker);
    ~Running();
    Running(const Running&) = delete;
    Running& operator=(const Running&) = delete;

   private:
    Ticker& ticker_;
  };

 private:
  void serve();

  std::function<void()> tick_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::size_t running_ = 0;
  bool asleep_ = false;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace coffer::wasm::detail
