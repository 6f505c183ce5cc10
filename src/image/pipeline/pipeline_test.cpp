#include <atomic>

#include "image/pipeline/digest_sink.h"
#include "image/pipeline/inflate_sink.h"
#include "image/pipeline/thread_sink.h"
#include "image/testing/archives.h"
#include "image/testing/expect.h"

namespace coffer::image {
namespace {

using namespace image::testing;

Result<Bytes> inflate(Compression compression, ByteView data, std::size_t piece = 1000, const Limits& limits = {}) {
  CollectSink out;
  const auto sink = make_inflate_sink(compression, limits, out);
  const auto source = chunks_of(data, piece);
  for (auto chunk = source(); !chunk->empty(); chunk = source()) TRY(sink->write(*chunk));
  TRY(sink->finish());
  EXPECT_TRUE(out.finished);
  return std::move(out.content);
}

std::string repetitive(std::size_t size) {
  std::string out;
  while (out.size() < size) out += "line " + std::to_string(out.size() % 977) + "\n";
  return out;
}

TEST(inflate, gzip_of_any_member_count_and_piece_size_is_read) {
  const auto text = repetitive(900'000);
  const auto first = gzip(as_bytes(text).first(300'000)), second = gzip(as_bytes(text).subspan(300'000));
  const auto both = concat({first, second});
  for (const std::size_t piece : {1UL, 7UL, 4096UL, 10'000'000UL}) {
    const auto out = inflate(Compression::gzip, both, piece);
    ASSERT_TRUE(out) << to_string(out.error());
    EXPECT_TRUE(as_text(*out) == text) << piece;
  }
}

TEST(inflate, zero_padding_between_and_behind_members_is_skipped) {
  const auto member = gzip(as_bytes("abc"));
  const Bytes zeros(700);
  EXPECT_EQ(as_text(inflate(Compression::gzip, concat({member, zeros, member, zeros})).value()), "abcabc");
}

TEST(inflate, zstd_of_several_frames_is_read) {
  const auto text = repetitive(900'000);
  const auto both = concat({zstd(as_bytes(text)), zstd(as_bytes("tail"))});
  for (const std::size_t piece : {1UL, 4096UL, 10'000'000UL}) {
    EXPECT_TRUE(as_text(inflate(Compression::zstd, both, piece).value()) == text + "tail") << piece;
  }
}

TEST(inflate, a_cut_stream_is_told_at_every_length) {
  for (const auto& [compression, whole] : {std::pair{Compression::gzip, gzip(as_bytes(repetitive(300)))},
                                           std::pair{Compression::zstd, zstd(as_bytes(repetitive(300)))}}) {
    for (std::size_t size = 0; size < whole.size(); ++size) {
      expect_error(inflate(compression, ByteView{whole}.first(size)), ImageError::truncated);
    }
  }
}

TEST(inflate, rubbish_is_no_compression) {
  expect_error(inflate(Compression::gzip, as_bytes("this is not gzip at all, however long")),
               ImageError::bad_compression);
  expect_error(inflate(Compression::zstd, as_bytes("this is not zstd at all, however long")),
               ImageError::bad_compression);
  expect_error(
      inflate(Compression::gzip, concat({gzip(as_bytes("abc")), as_bytes("rubbish behind it, quite some of it")})),
      ImageError::bad_compression);
}

TEST(inflate, a_wrong_checksum_is_told) {
  auto data = gzip(as_bytes(repetitive(1000)));
  data[data.size() - 8] ^= std::byte{1};
  expect_error(inflate(Compression::gzip, data), ImageError::bad_compression);
}

TEST(inflate, bombs_are_stopped_by_size_and_by_ratio) {
  const auto bomb = gzip(Bytes(64U << 20));
  expect_error(inflate(Compression::gzip, bomb, 4096, {.max_unpacked_size = 1U << 20}), ImageError::limit_exceeded);
  expect_error(inflate(Compression::gzip, bomb, 4096, {.max_ratio = 100}), ImageError::limit_exceeded);
  expect_error(inflate(Compression::zstd, zstd(Bytes(64U << 20)), 4096, {.max_ratio = 100}),
               ImageError::limit_exceeded);
  expect_error(inflate(Compression::none, Bytes(100), 10, {.max_unpacked_size = 50}), ImageError::limit_exceeded);
}

TEST(thread_sink, bytes_arrive_in_order_on_another_thread) {
  const auto data = noise(5'000'000);
  CollectSink out;
  ThreadSink sink{out};
  const auto source = chunks_of(data, 77'777);
  for (auto chunk = source(); !chunk->empty(); chunk = source()) expect_success(sink.write(*chunk));
  expect_success(sink.finish());
  EXPECT_TRUE(out.finished);
  EXPECT_TRUE(out.content == data);
}

TEST(thread_sink, an_error_behind_it_comes_forward) {
  ThreadSink sink{[](const ChunkSource& source) -> Result<> {
    TRY(source());
    return fail(ImageError::bad_tar, "no tar");
  }};
  const auto data = noise(100'000);
  Result<> result{};
  for (int i = 0; i < 10'000 && result; ++i) result = sink.write(data);
  expect_error(result, ImageError::bad_tar);
  expect_error(sink.finish(), ImageError::bad_tar);
}

TEST(thread_sink, what_is_thrown_behind_it_is_thrown_in_front) {
  ThreadSink sink{[](const ChunkSource&) -> Result<> { throw std::bad_alloc{}; }};
  EXPECT_THROW(static_cast<void>(sink.finish()), std::bad_alloc);
}

TEST(thread_sink, without_an_end_the_consumer_is_told_that_it_was_given_up) {
  std::atomic<bool> gave_up = false;
  {
    ThreadSink sink{[&](const ChunkSource& source) -> Result<> {
      while (true) {
        const auto chunk = source();
        if (!chunk) gave_up = chunk.error().code == ErrorCode{ImageError::incomplete};
        if (!chunk || chunk->empty()) return {};
      }
    }};
    expect_success(sink.write(noise(1000)));
  }
  EXPECT_TRUE(gave_up);
}

class FailingSink final : public ByteSink {
 public:
  explicit FailingSink(ImageError code) : code_(code) {}
  Result<> write(ByteView) override { return fail(code_, "downstream"); }

 private:
  ImageError code_;
};

TEST(digest_sink, a_wrong_digest_explains_more_than_what_it_caused_downstream) {
  FailingSink broken{ImageError::bad_compression};
  DigestSink sink{Digest::of(as_bytes("right")), std::nullopt, ImageError::digest_mismatch, "x", broken};
  expect_success(sink.write(as_bytes("wrong")));
  expect_error(sink.finish(), ImageError::digest_mismatch);
  DigestSink right{Digest::of(as_bytes("right")), std::nullopt, ImageError::digest_mismatch, "x", broken};
  expect_success(right.write(as_bytes("right")));
  expect_error(right.finish(), ImageError::bad_compression);
}

TEST(digest_sink, errors_of_the_machine_and_limits_stop_at_once) {
  for (const auto code : {ImageError::io, ImageError::limit_exceeded}) {
    FailingSink broken{code};
    DigestSink sink{Digest::of(as_bytes("x")), std::nullopt, ImageError::digest_mismatch, "x", broken};
    expect_error(sink.write(as_bytes("x")), code);
  }
}

TEST(digest_sink, sizes_are_held_to) {
  CollectSink out;
  DigestSink few{Digest::of(as_bytes("abc")), 3, ImageError::digest_mismatch, "x", out};
  expect_success(few.write(as_bytes("ab")));
  expect_error(few.finish(), ImageError::size_mismatch);
  DigestSink many{Digest::of(as_bytes("abc")), 3, ImageError::digest_mismatch, "x", out};
  expect_error(many.write(as_bytes("abcd")), ImageError::size_mismatch);
  EXPECT_FALSE(out.finished);
}

}  // namespace
}  // namespace coffer::image
