#include "fleet/worker/modules/module_cache.h"

#include <algorithm>

namespace coffer::fleet::worker {
namespace {

using std::chrono::steady_clock;

bool lives(const ModuleCache::Token& token) {
  return token && token->expires > system_clock().now();
}

}  // namespace

ModuleCache::ModuleCache(ModuleCacheLimits limits) : limits_(limits) {
  if (enabled()) sweeper_ = std::jthread([this](const std::stop_token& stop) { sweep(stop); });
}

ModuleCache::~ModuleCache() = default;

ModuleCache::Opened ModuleCache::find(const std::string& broker, const std::string& name, const Token& token) {
  const std::lock_guard lock(mutex_);
  drop_until(steady_clock::now());
  drop_others(broker, token);
  const auto found =
      std::ranges::find_if(entries_, [&](const Entry& entry) { return entry.broker == broker && entry.name == name; });
  if (found == entries_.end() || !lives(token)) return nullptr;
  entries_.splice(entries_.begin(), entries_, found);
  return found->module;
}

void ModuleCache::insert(const std::string& broker, const std::string& name, const Token& token, Opened module) {
  const auto size = module->module.size();
  if (!enabled() || size > limits_.bytes || !lives(token)) return;
  const auto now = steady_clock::now();
  const auto token_left = std::chrono::duration_cast<Duration>(token->expires - system_clock().now());
  const std::lock_guard lock(mutex_);
  drop_others(broker, token);
  std::erase_if(entries_, [&](const Entry& entry) {
    const bool same = entry.broker == broker && entry.name == name;
    if (same) bytes_ -= entry.module->module.size();
    return same;
  });
  while (bytes_ + size > limits_.bytes) {
    bytes_ -= entries_.back().module->module.size();
    entries_.pop_back();
  }
  bytes_ += size;
  entries_.push_front({broker, name, token, now + std::min(limits_.age, token_left), std::move(module)});
  changed_.notify_one();
}

ModuleCache::Usage ModuleCache::usage() const {
  const std::lock_guard lock(mutex_);
  return {.modules = entries_.size(), .bytes = bytes_};
}

void ModuleCache::drop_old(Instant now) {
  const std::lock_guard lock(mutex_);
  drop_until(now);
}

// A broker's new token means that the old one has ended, or that the broker takes it no longer.
void ModuleCache::drop_others(const std::string& broker, const Token& token) {
  std::erase_if(entries_, [&](const Entry& entry) {
    const bool other = entry.broker == broker && entry.token != token;
    if (other) bytes_ -= entry.module->module.size();
    return other;
  });
}

void ModuleCache::drop_until(Instant now) {
  std::erase_if(entries_, [&](const Entry& entry) {
    const bool ended = entry.until <= now;
    if (ended) bytes_ -= entry.module->module.size();
    return ended;
  });
}

std::optional<ModuleCache::Instant> ModuleCache::next_end() const {
  if (entries_.empty()) return std::nullopt;
  return std::ranges::min_element(entries_, {}, &Entry::until)->until;
}

// So that nothing stays in memory because nobody asks for it.
void ModuleCache::sweep(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (!stop.stop_requested()) {
    drop_until(steady_clock::now());
    const auto known = next_end();
    const auto sooner = [&] { return next_end() != known; };
    if (known) {
      changed_.wait_until(lock, stop, *known, sooner);
    } else {
      changed_.wait(lock, stop, sooner);
    }
  }
}

}  // namespace coffer::fleet::worker
