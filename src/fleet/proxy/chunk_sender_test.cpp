#include "fleet/proxy/chunk_sender.h"

#include <gtest/gtest.h>

#include "net/error.h"

namespace coffer::fleet::proxy {
namespace {

struct Sent {
  std::vector<Chunk> chunks;
  ChunkSender::Send send() {
    return [this](const Chunk& chunk) -> Result<> {
      chunks.push_back(chunk);
      return {};
    };
  }
};

TEST(ChunkSender, cuts_any_pieces_into_chunks_of_one_size) {
  for (std::size_t size = 0; size <= 25; ++size) {
    for (std::size_t piece = 1; piece <= 12; ++piece) {
      Bytes layer(size);
      for (std::size_t at = 0; at < size; ++at) layer[at] = static_cast<std::byte>(at);
      Sent sent;
      ChunkSender sender{Chunk{.app_name = "x", .digest = "d"}, size, 5, sent.send()};
      for (std::size_t at = 0; at < size; at += piece)
        ASSERT_TRUE(sender.write(ByteView{layer}.subspan(at, std::min(piece, size - at))));
      ASSERT_TRUE(sender.finish());
      Bytes joined;
      for (std::size_t index = 0; index < sent.chunks.size(); ++index) {
        const Chunk& chunk = sent.chunks[index];
        EXPECT_EQ(chunk.index, index);
        EXPECT_EQ(chunk.total, sent.chunks.size());
        EXPECT_EQ(chunk.digest, index == 0 ? "d" : "");
        joined.insert(joined.end(), chunk.data.begin(), chunk.data.end());
      }
      EXPECT_EQ(joined, layer);
    }
  }
}

TEST(ChunkSender, keeps_the_last_chunk_until_the_layer_is_known_to_be_whole) {
  Sent sent;
  ChunkSender sender{Chunk{.app_name = "x"}, 10, 5, sent.send()};
  ASSERT_TRUE(sender.write(Bytes(10)));
  EXPECT_EQ(sent.chunks.size(), 1U);
  ASSERT_TRUE(sender.finish());
  EXPECT_EQ(sent.chunks.size(), 2U);
}

TEST(ChunkSender, refuses_a_layer_of_another_size) {
  Sent sent;
  ChunkSender longer{Chunk{.app_name = "x"}, 4, 5, sent.send()};
  EXPECT_EQ(longer.write(Bytes(5)).error().code, image::ImageError::size_mismatch);
  ChunkSender shorter{Chunk{.app_name = "x"}, 4, 5, sent.send()};
  ASSERT_TRUE(shorter.write(Bytes(3)));
  EXPECT_EQ(shorter.finish().error().code, image::ImageError::size_mismatch);
  EXPECT_TRUE(sent.chunks.empty());
}

TEST(ChunkSender, stops_where_a_chunk_cannot_be_sent) {
  ChunkSender sender{Chunk{.app_name = "x"}, 10, 2,
                     [](const Chunk&) -> Result<> { return fail(net::NetError::timeout, "too slow"); }};
  EXPECT_EQ(sender.write(Bytes(10)).error().code, net::NetError::timeout);
}

}  // namespace
}  // namespace coffer::fleet::proxy
