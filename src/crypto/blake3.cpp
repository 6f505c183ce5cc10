#include "crypto/blake3.h"

#include <algorithm>
#include <array>
#include <bit>

namespace coffer::crypto {
namespace {

using Word = std::uint32_t;
using Words8 = std::array<Word, 8>;
using Words16 = std::array<Word, 16>;

constexpr std::size_t block_size = 64;
constexpr std::size_t chunk_size = 1024;

// Section 2.1: the initial words are those of SHA-256.
constexpr Words8 initial = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                            0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
// Section 2.2, table 2: how the message words move between rounds.
constexpr std::array<std::size_t, 16> permutation = {2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8};
constexpr int rounds = 7;

enum Flag : Word { chunk_start = 1, chunk_end = 2, parent = 4, root = 8 };

void mix(Words16& v, std::size_t a, std::size_t b, std::size_t c, std::size_t d, Word x, Word y) {
  v[a] += v[b] + x;
  v[d] = std::rotr(v[d] ^ v[a], 16);
  v[c] += v[d];
  v[b] = std::rotr(v[b] ^ v[c], 12);
  v[a] += v[b] + y;
  v[d] = std::rotr(v[d] ^ v[a], 8);
  v[c] += v[d];
  v[b] = std::rotr(v[b] ^ v[c], 7);
}

void mix_all(Words16& v, const Words16& m) {
  for (std::size_t i = 0; i < 4; ++i) mix(v, i, 4 + i, 8 + i, 12 + i, m[2 * i], m[2 * i + 1]);
  for (std::size_t i = 0; i < 4; ++i) {
    mix(v, i, 4 + (i + 1) % 4, 8 + (i + 2) % 4, 12 + (i + 3) % 4, m[8 + 2 * i], m[8 + 2 * i + 1]);
  }
}

// What is compressed last of a chunk or of two subtrees: its flags depend on whether it is the root.
struct Node {
  Words8 chaining;
  Words16 block;
  std::uint64_t counter;
  Word size;
  Word flags;
};

// Section 2.2. The first half of the output, which is all that chaining and a digest of 32 bytes need.
Words8 compress(const Node& node, Word more_flags = 0) {
  Words16 v;
  std::ranges::copy(node.chaining, v.begin());
  std::copy_n(initial.begin(), 4, v.begin() + 8);
  v[12] = static_cast<Word>(node.counter);
  v[13] = static_cast<Word>(node.counter >> 32);
  v[14] = node.size;
  v[15] = node.flags | more_flags;
  auto m = node.block;
  for (int round = 0; round < rounds; ++round) {
    mix_all(v, m);
    Words16 moved;
    for (std::size_t i = 0; i < m.size(); ++i) moved[i] = m[permutation[i]];
    m = moved;
  }
  Words8 out;
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = v[i] ^ v[i + 8];
  return out;
}

// Little-endian, with zeros behind a short block (section 2.4).
Words16 words_of(ByteView block) {
  Words16 out{};
  for (std::size_t i = 0; i < block.size(); ++i) out[i / 4] |= std::to_integer<Word>(block[i]) << (8 * (i % 4));
  return out;
}

// Section 2.4: at most chunk_size bytes.
Node chunk_node(ByteView chunk, std::uint64_t counter) {
  auto chaining = initial;
  Word start = chunk_start;
  for (; chunk.size() > block_size; chunk = chunk.subspan(block_size)) {
    chaining = compress({chaining, words_of(chunk.first(block_size)), counter, block_size, start});
    start = 0;
  }
  return {chaining, words_of(chunk), counter, static_cast<Word>(chunk.size()), start | chunk_end};
}

// Section 2.1: the left subtree has the largest power of two of whole chunks that leaves something to the right.
Node tree_node(ByteView data, std::uint64_t counter) {
  if (data.size() <= chunk_size) return chunk_node(data, counter);
  const auto whole_chunks = (data.size() - 1) / chunk_size;
  const auto left_chunks = std::bit_floor(whole_chunks);
  const auto left = compress(tree_node(data.first(left_chunks * chunk_size), counter));
  const auto right = compress(tree_node(data.subspan(left_chunks * chunk_size), counter + left_chunks));
  Node node{initial, {}, 0, block_size, parent};
  std::ranges::copy(left, node.block.begin());
  std::ranges::copy(right, node.block.begin() + 8);
  return node;
}

}  // namespace

Bytes blake3(ByteView data) {
  const auto words = compress(tree_node(data, 0), root);
  Bytes out(blake3_size);
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = static_cast<std::byte>(words[i / 4] >> (8 * (i % 4)));
  return out;
}

}  // namespace coffer::crypto
