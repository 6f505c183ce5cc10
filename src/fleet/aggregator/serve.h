// A running aggregator: attested, listening, closing rounds when their time is over.
#pragma once

#include <memory>
#include <string>

#include "fleet/aggregator/config.h"

namespace coffer::fleet::aggregator {

class RunningAggregator {
 public:
  ~RunningAggregator();  // stops
  const std::string& url() const;
  void stop();

 private:
  friend Result<std::unique_ptr<RunningAggregator>> serve(Config config);
  struct Impl;
  explicit RunningAggregator(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// Attests before it listens. AggregatorError::no_tee, not_attested, bad_model; ConfigError; NetError.
Result<std::unique_ptr<RunningAggregator>> serve(Config config);

}  // namespace coffer::fleet::aggregator
