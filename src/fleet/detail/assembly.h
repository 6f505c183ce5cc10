// One image on its way, chunk by chunk. No lock, no waiting: ChunkAssembler adds those.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <optional>

#include "fleet/chunks.h"

namespace coffer::fleet::detail {

using SteadyTime = std::chrono::steady_clock::time_point;

class Assembly {
 public:
  Assembly(const ChunkLimits& limits, SteadyTime now) : limits_(limits), expires_(now + limits.max_age), ask_at_(now) {}

  // Takes a chunk in. FleetError::bad_chunk for one that does not fit what came before: it is left out. What ends the
  // whole assembly (too many, too large, the proxy's own error) becomes its failure() as well.
  Result<> accept(Chunk chunk, SteadyTime now);

  bool complete() const { return total_ != 0 && parts_.size() == total_; }
  const std::optional<Error>& failure() const { return failure_; }
  void give_up(Error why) {
    if (!failure_) failure_ = std::move(why);
  }
  std::size_t bytes() const { return bytes_; }

  SteadyTime expires() const { return expires_; }
  SteadyTime ask_at() const { return ask_at_; }
  // The request is about to be sent (again). Where chunks were left out, what is there may be of another answer.
  void asked(SteadyTime now);

  // The parts of a complete assembly put together and checked against the proxy's digest.
  Result<std::shared_ptr<const FetchedImage>> join() &&;

 private:
  Result<> refuse(std::string why);
  Result<> end(FleetError code, std::string why);
  Result<> check_bounds(const Chunk& chunk);

  const ChunkLimits& limits_;
  SteadyTime expires_, ask_at_;
  std::uint64_t total_ = 0;
  std::size_t bytes_ = 0;
  bool refused_some_ = false;
  std::map<std::uint64_t, Bytes> parts_;
  std::string digest_, manifest_, config_;
  std::map<std::string, std::string> annotations_;
  std::vector<ImageSignature> signatures_;
  std::optional<Error> failure_;
};

}  // namespace coffer::fleet::detail
