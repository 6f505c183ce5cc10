// The stages of one layer, in order: digest of what is stored, MAC and decryption, inflation, diff-id, the caller's
// sink. Three of them run on threads of their own.
#pragma once

#include <memory>
#include <vector>

#include "image/pipeline/digest_sink.h"
#include "image/pipeline/thread_sink.h"
#include "image/pull.h"

namespace coffer::image {

class LayerChain {
 public:
  // Fetches the layer's key where it is encrypted. `sink` outlives the chain.
  static Result<std::unique_ptr<LayerChain>> create(const LayerJob& job, const PullOptions& options, ByteSink& sink);
  ~LayerChain();

  // Where the layer's bytes go in, and whose finish() gives the verdict over all stages.
  ByteSink& head() { return *stages_.back(); }

 private:
  LayerChain() = default;
  template <class Stage, class... Args>
  ByteSink& add(Args&&... args);

  // In the order of construction: last stage first. Torn down from the head, so that no thread writes into a dead
  // stage.
  std::vector<std::unique_ptr<ByteSink>> stages_;
};

}  // namespace coffer::image
