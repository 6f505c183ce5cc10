// A sink that keeps what it is given.
#pragma once

#include <mutex>

#include "net/trace.h"

namespace coffer::net::testing {

class SpanList final : public SpanSink {
 public:
  void take(SpanRecord record) override {
    const std::scoped_lock lock(mutex_);
    spans_.push_back(std::move(record));
  }
  std::vector<SpanRecord> all() const {
    const std::scoped_lock lock(mutex_);
    return spans_;
  }
  // The first of that name; one without a name where there is none.
  SpanRecord named(std::string_view name) const {
    for (auto& span : all()) {
      if (span.name == name) return span;
    }
    return {};
  }

 private:
  mutable std::mutex mutex_;
  std::vector<SpanRecord> spans_;
};

}  // namespace coffer::net::testing
