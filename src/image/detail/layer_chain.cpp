#include "image/detail/layer_chain.h"

#include "image/ocicrypt/cipher.h"
#include "image/pipeline/inflate_sink.h"

namespace coffer::image {
namespace {

// Below this size threads cost more than they bring.
constexpr std::uint64_t threads_from = 1U << 20;

class ProgressSink final : public ByteSink {
 public:
  ProgressSink(const Progress& progress, std::uint64_t total, ByteSink& next)
      : progress_(progress), total_(total), next_(next) {}
  Result<> write(ByteView data) override {
    done_ += data.size();
    progress_(done_, total_);
    return next_.write(data);
  }
  Result<> finish() override { return next_.finish(); }

 private:
  Progress progress_;
  std::uint64_t total_, done_ = 0;
  ByteSink& next_;
};

}  // namespace

LayerChain::~LayerChain() {
  while (!stages_.empty()) stages_.pop_back();
}

template <class Stage, class... Args>
ByteSink& LayerChain::add(Args&&... args) {
  stages_.push_back(std::make_unique<Stage>(std::forward<Args>(args)...));
  return *stages_.back();
}

Result<std::unique_ptr<LayerChain>> LayerChain::create(const LayerJob& job, const PullOptions& options,
                                                       ByteSink& sink) {
  const auto kind = TRY(classify_layer(job.layer.media_type));
  std::unique_ptr<LayerChain> chain{new LayerChain};
  const bool threads = job.layer.size >= threads_from;
  auto* next = &sink;
  if (job.diff_id) {
    next = &chain->add<DigestSink>(*job.diff_id, std::nullopt, ImageError::diff_id_mismatch,
                                   "the uncompressed layer " + job.layer.digest.text(), *next);
  }
  if (threads && kind.compression != Compression::none) next = &chain->add<ThreadSink>(*next);
  chain->stages_.push_back(make_inflate_sink(kind.compression, options.limits, *next));
  next = chain->stages_.back().get();
  if (kind.encrypted) {
    if (threads) next = &chain->add<ThreadSink>(*next);
    const auto opened = TRY(ocicrypt::open_layer_options(job.layer.annotations, options.keys));
    chain->stages_.push_back(TRY(ocicrypt::DecryptSink::create(opened.public_options, opened.private_options, *next)));
    next = chain->stages_.back().get();
  }
  if (threads) next = &chain->add<ThreadSink>(*next);
  next = &chain->add<DigestSink>(job.layer.digest, job.layer.size, ImageError::digest_mismatch,
                                 "the layer " + job.layer.digest.text(), *next);
  if (options.progress) chain->add<ProgressSink>(options.progress, job.layer.size, *next);
  return chain;
}

}  // namespace coffer::image
