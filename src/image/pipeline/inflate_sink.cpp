#include "image/pipeline/inflate_sink.h"

#include <isa-l/igzip_lib.h>
#include <zstd.h>

#include <algorithm>

#include "base/secret_bytes.h"

namespace coffer::image {
namespace {

constexpr std::size_t output_size = 256U << 10;
// Below this much output a high ratio is harmless (a tar of a few empty files compresses a thousandfold).
constexpr std::uint64_t ratio_free_size = 16U << 20;

// Hands output on and holds it to the limits.
class Output {
 public:
  Output(const Limits& limits, ByteSink& next) : limits_(limits), next_(next) {}

  void count_input(std::size_t size) { in_ += size; }

  Result<> pass_on(ByteView data) {
    out_ += data.size();
    if (out_ > limits_.max_unpacked_size) {
      return fail(ImageError::limit_exceeded,
                  "the layer inflates to over " + std::to_string(limits_.max_unpacked_size) + " bytes");
    }
    if (out_ > ratio_free_size && out_ / limits_.max_ratio > in_) {
      return fail(ImageError::limit_exceeded, "the layer inflates over " + std::to_string(limits_.max_ratio) +
                                                  "-fold (" + std::to_string(in_) + " to " + std::to_string(out_) +
                                                  " bytes), which only a bomb does");
    }
    return data.empty() ? Result<>{} : next_.write(data);
  }

  Result<> finish() { return next_.finish(); }

 private:
  Limits limits_;
  ByteSink& next_;
  std::uint64_t in_ = 0, out_ = 0;
};

class PassSink final : public ByteSink {
 public:
  PassSink(const Limits& limits, ByteSink& next) : output_(limits, next) {}
  Result<> write(ByteView data) override {
    output_.count_input(data.size());
    return output_.pass_on(data);
  }
  Result<> finish() override { return output_.finish(); }

 private:
  Output output_;
};

class GzipSink final : public ByteSink {
 public:
  GzipSink(const Limits& limits, ByteSink& next) : output_(limits, next), buffer_(output_size) { begin_member(); }
  // The window holds plaintext.
  ~GzipSink() override { wipe({reinterpret_cast<std::byte*>(&state_), sizeof state_}); }

  Result<> write(ByteView data) override {
    output_.count_input(data.size());
    while (!data.empty()) {
      if (at_boundary_) data = skip_padding(data);
      if (data.empty()) break;
      at_boundary_ = false;
      data = TRY(inflate(data));
    }
    return {};
  }

  Result<> finish() override {
    // isa-l does not report truncation: only a stream that stands at the end of a member is whole.
    if (!at_boundary_ || members_ == 0) {
      return fail(ImageError::truncated, "the gzip stream ends inside of a member");
    }
    return output_.finish();
  }

 private:
  void begin_member() {
    isal_inflate_init(&state_);
    state_.crc_flag = ISAL_GZIP;
  }

  // Zero bytes between and behind members are padding, as gzip itself takes them.
  ByteView skip_padding(ByteView data) const {
    if (members_ == 0) return data;
    return data.subspan(static_cast<std::size_t>(
        std::ranges::find_if(data, [](std::byte b) { return b != std::byte{}; }) - data.begin()));
  }

  // Consumes at least one byte or ends the member; gives what is left.
  Result<ByteView> inflate(ByteView data) {
    state_.next_in = reinterpret_cast<std::uint8_t*>(const_cast<std::byte*>(data.data()));
    state_.avail_in = static_cast<std::uint32_t>(std::min<std::size_t>(data.size(), 1U << 30));
    const auto offered = state_.avail_in;
    auto space = buffer_.mutable_expose();
    do {
      state_.next_out = reinterpret_cast<std::uint8_t*>(space.data());
      state_.avail_out = static_cast<std::uint32_t>(space.size());
      const auto code = isal_inflate(&state_);
      if (code != ISAL_DECOMP_OK && code != ISAL_END_INPUT) {
        return fail(ImageError::bad_compression,
                    "the layer is not valid gzip (isa-l error " + std::to_string(code) + ")");
      }
      const auto made = space.size() - state_.avail_out;
      TRY(output_.pass_on(ByteView{space}.first(made)));
      if (made == 0 && state_.avail_in == offered && state_.block_state != ISAL_BLOCK_FINISH) {
        return fail(ImageError::bad_compression, "the gzip stream makes no progress");
      }
    } while (state_.block_state != ISAL_BLOCK_FINISH && (state_.avail_in > 0 || state_.avail_out == 0));
    const auto left = data.subspan(offered - state_.avail_in);
    if (state_.block_state == ISAL_BLOCK_FINISH) end_member();
    return left;
  }

  void end_member() {
    ++members_;
    at_boundary_ = true;
    begin_member();
  }

  Output output_;
  SecretBytes buffer_;
  inflate_state state_{};
  std::uint64_t members_ = 0;
  bool at_boundary_ = true;
};

class ZstdSink final : public ByteSink {
 public:
  ZstdSink(const Limits& limits, ByteSink& next)
      : output_(limits, next), buffer_(output_size), context_(ZSTD_createDCtx(), ZSTD_freeDCtx) {}

  Result<> write(ByteView data) override {
    output_.count_input(data.size());
    ZSTD_inBuffer in{data.data(), data.size(), 0};
    auto space = buffer_.mutable_expose();
    bool full = true;
    while (in.pos < in.size || full) {
      ZSTD_outBuffer out{space.data(), space.size(), 0};
      const auto code = ZSTD_decompressStream(context_.get(), &out, &in);
      if (ZSTD_isError(code) != 0) {
        return fail(ImageError::bad_compression,
                    "the layer is not valid zstd: " + std::string{ZSTD_getErrorName(code)});
      }
      started_ = true;
      at_boundary_ = code == 0;
      full = out.pos == out.size;
      TRY(output_.pass_on(ByteView{space}.first(out.pos)));
      if (at_boundary_ && in.pos == in.size) break;
    }
    return {};
  }

  Result<> finish() override {
    if (!started_ || !at_boundary_) return fail(ImageError::truncated, "the zstd stream ends inside of a frame");
    return output_.finish();
  }

 private:
  Output output_;
  SecretBytes buffer_;
  std::unique_ptr<ZSTD_DCtx, decltype(&ZSTD_freeDCtx)> context_;
  bool started_ = false, at_boundary_ = false;
};

}  // namespace

std::unique_ptr<ByteSink> make_inflate_sink(Compression compression, const Limits& limits, ByteSink& next) {
  switch (compression) {
    case Compression::gzip: return std::make_unique<GzipSink>(limits, next);
    case Compression::zstd: return std::make_unique<ZstdSink>(limits, next);
    case Compression::none: break;
  }
  return std::make_unique<PassSink>(limits, next);
}

}  // namespace coffer::image
