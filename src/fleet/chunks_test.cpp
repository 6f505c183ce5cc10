#include "fleet/chunks.h"

#include <gtest/gtest.h>

#include <future>

#include "codec/base64.h"
#include "crypto/hash.h"
#include "fleet/messages_testing.h"

namespace coffer::fleet {
namespace {

using namespace std::chrono_literals;

std::vector<Chunk> chunks_of(const std::string& name, const Bytes& data, std::size_t size) {
  std::vector<Chunk> chunks;
  const std::uint64_t total = (data.size() + size - 1) / size;
  for (std::uint64_t index = 0; index < total; ++index) {
    const auto part = ByteView{data}.subspan(index * size, std::min(size, data.size() - index * size));
    chunks.push_back({.app_name = name, .index = index, .total = total, .data = to_bytes(part)});
  }
  return chunks;
}

// A proxy that answers a request at once, on the asking thread.
ChunkAssembler::Request answer(ChunkAssembler& assembler, std::vector<Chunk> chunks) {
  return [&assembler, chunks = std::move(chunks)](const FetchRequest&) -> Result<> {
    for (const Chunk& chunk : chunks) (void)assembler.accept(chunk);
    return {};
  };
}

FleetError fetch_code(ChunkAssembler& assembler, std::vector<Chunk> chunks) {
  const auto image = assembler.fetch("x", answer(assembler, std::move(chunks)), 300ms);
  EXPECT_FALSE(image);
  for (int code = 0; code <= static_cast<int>(FleetError::cancelled); ++code)
    if (!image && image.error().code == static_cast<FleetError>(code)) return static_cast<FleetError>(code);
  return FleetError::bad_payload;
}

TEST(Chunks, make_an_image_in_any_order_and_however_often_they_come) {
  std::mt19937 random{3};
  for (int round = 0; round < 50; ++round) {
    const Bytes data = concat({to_bytes("x"), random_bytes(random, 900)});
    auto chunks = chunks_of("x", data, 1 + round);
    const auto again = chunks;
    chunks.insert(chunks.end(), again.begin(), again.begin() + static_cast<std::ptrdiff_t>(again.size() / 2));
    std::shuffle(chunks.begin(), chunks.end(), random);
    ChunkAssembler assembler;
    const auto image = assembler.fetch("x", answer(assembler, chunks), 5s);
    ASSERT_TRUE(image) << to_string(image.error());
    EXPECT_EQ((*image)->data, data);
    EXPECT_EQ(assembler.usage().assemblies, 0U);
    EXPECT_EQ(assembler.usage().bytes, 0U);
  }
}

TEST(Chunks, that_nobody_asked_for_are_not_kept) {
  ChunkAssembler assembler;
  EXPECT_EQ(assembler.accept({.app_name = "x", .data = to_bytes("a")}).error().code, FleetError::unknown_assembly);
  EXPECT_EQ(assembler.usage().assemblies, 0U);
}

TEST(Chunks, bring_the_manifest_and_are_held_against_the_digest) {
  const Bytes data = to_bytes("module");
  auto chunks = chunks_of("x", data, 4);
  chunks[0].digest = "sha256:" + codec::hex_encode(crypto::sha256(data));
  chunks[0].manifest = "{}";
  chunks[0].config = R"({"os":"wasi"})";
  chunks[0].annotations = {{"k", "v"}};
  ChunkAssembler assembler;
  const auto image = assembler.fetch("x", answer(assembler, chunks), 5s);
  ASSERT_TRUE(image) << to_string(image.error());
  EXPECT_EQ((*image)->manifest, "{}");
  EXPECT_EQ((*image)->config, R"({"os":"wasi"})");
  EXPECT_EQ((*image)->annotations.at("k"), "v");
  chunks[1].data[0] ^= std::byte{1};
  EXPECT_EQ(fetch_code(assembler, chunks), FleetError::digest_mismatch);
  chunks[0].digest = "md5:00";
  EXPECT_EQ(fetch_code(assembler, chunks), FleetError::digest_mismatch);
}

TEST(Chunks, wake_the_waiter_at_once_and_serve_two_who_share) {
  ChunkAssembler assembler;
  std::atomic<int> asked = 0;
  const ChunkAssembler::Request request = [&](const FetchRequest&) -> Result<> { return ++asked, Result<>{}; };
  const auto fetch = [&] { return assembler.fetch("x", request, 10s); };
  auto first = std::async(std::launch::async, fetch);
  auto second = std::async(std::launch::async, fetch);
  while (assembler.usage().waiters < 2) std::this_thread::yield();
  ASSERT_TRUE(assembler.accept({.app_name = "x", .data = to_bytes("a")}));
  const auto a = first.get();
  const auto b = second.get();
  ASSERT_TRUE(a && b);
  EXPECT_EQ(*a, *b);
  EXPECT_EQ(asked, 1);
}

TEST(Chunks, outside_the_bounds_end_the_fetch) {
  ChunkAssembler assembler{{.max_chunks = 4, .max_image_size = 10, .max_total_size = 12}};
  EXPECT_EQ(fetch_code(assembler, {{.app_name = "x", .index = 0, .total = 5}}), FleetError::bad_chunk);
  EXPECT_EQ(fetch_code(assembler, {{.app_name = "x", .index = 0, .total = 1, .data = Bytes(11)}}),
            FleetError::bad_chunk);
  EXPECT_EQ(fetch_code(assembler, {{.app_name = "x", .index = 0, .total = 2, .data = Bytes(6)},
                                   {.app_name = "x", .index = 1, .total = 2, .data = Bytes(5)}}),
            FleetError::bad_chunk);
  EXPECT_EQ(fetch_code(assembler, {{.app_name = "x", .index = 0, .total = 2, .data = Bytes(13)}}),
            FleetError::fetch_busy);
  EXPECT_EQ(assembler.usage().bytes, 0U);
}

TEST(Chunks, that_do_not_fit_the_first_are_left_out) {
  ChunkAssembler assembler;
  auto chunks = chunks_of("x", to_bytes("abcdef"), 2);
  const ChunkAssembler::Request request = [&](const FetchRequest&) -> Result<> {
    EXPECT_TRUE(assembler.accept(chunks[0]));
    EXPECT_EQ(assembler.accept({.app_name = "x", .index = 1, .total = 9}).error().code, FleetError::bad_chunk);
    EXPECT_EQ(assembler.accept({.app_name = "x", .index = 3, .total = 3}).error().code, FleetError::bad_chunk);
    EXPECT_EQ(assembler.accept({.app_name = "x", .index = 0, .total = 0}).error().code, FleetError::bad_chunk);
    EXPECT_TRUE(assembler.accept(chunks[1]));
    EXPECT_TRUE(assembler.accept(chunks[2]));
    return {};
  };
  const auto image = assembler.fetch("x", request, 5s);
  ASSERT_TRUE(image) << to_string(image.error());
  EXPECT_EQ(as_text((*image)->data), "abcdef");
}

TEST(Chunks, that_stop_coming_are_asked_for_again_and_replace_what_did_not_fit) {
  ChunkAssembler assembler{{.ask_again = 20ms}};
  int asked = 0;
  const ChunkAssembler::Request request = [&](const FetchRequest&) -> Result<> {
    if (++asked == 1) (void)assembler.accept({.app_name = "x", .index = 0, .total = 7, .data = to_bytes("old")});
    for (Chunk& chunk : chunks_of("x", to_bytes("new one"), 4)) (void)assembler.accept(std::move(chunk));
    return {};
  };
  const auto image = assembler.fetch("x", request, 5s);
  ASSERT_TRUE(image) << to_string(image.error());
  EXPECT_EQ(as_text((*image)->data), "new one");
  EXPECT_EQ(asked, 2);
}

TEST(Chunks, with_an_error_end_the_fetch_with_the_proxys_words) {
  ChunkAssembler assembler;
  const Chunk error{.app_name = "x", .error = "no such\x1b image", .code = "image.not_found"};
  const auto image = assembler.fetch("x", answer(assembler, {error}), 5s);
  ASSERT_FALSE(image);
  EXPECT_EQ(image.error().code, FleetError::fetch_failed);
  EXPECT_NE(image.error().message.find("no such  image (image.not_found)"), std::string::npos) << image.error().message;
}

TEST(Fetching, ends_when_nothing_comes) {
  ChunkAssembler assembler;
  EXPECT_EQ(fetch_code(assembler, {}), FleetError::fetch_timeout);
  ChunkAssembler impatient{{.max_age = 30ms}};
  EXPECT_EQ(impatient.fetch("x", answer(impatient, {}), 10s).error().code, FleetError::fetch_timeout);
  EXPECT_EQ(impatient.usage().assemblies, 0U);
}

TEST(Fetching, fails_as_the_request_fails) {
  ChunkAssembler assembler;
  const auto image = assembler.fetch(
      "x", [](const FetchRequest&) -> Result<> { return fail(FleetError::bad_payload, "no way out"); }, 5s);
  ASSERT_FALSE(image);
  EXPECT_EQ(image.error().code, FleetError::bad_payload);
}

TEST(Fetching, of_more_images_than_allowed_is_refused) {
  ChunkAssembler assembler{{.max_assemblies = 1}};
  std::optional<Error> inner;
  const ChunkAssembler::Request request = [&](const FetchRequest&) -> Result<> {
    const auto other = assembler.fetch("y", answer(assembler, {}), 1s);
    if (!other) inner = other.error();
    return assembler.accept({.app_name = "x", .data = to_bytes("a")});
  };
  EXPECT_TRUE(assembler.fetch("x", request, 5s));
  ASSERT_TRUE(inner);
  EXPECT_EQ(inner->code, FleetError::fetch_busy);
}

TEST(Fetching, is_cancelled_by_its_token_and_by_closing) {
  ChunkAssembler assembler;
  std::stop_source stop;
  auto stopped = std::async(std::launch::async,
                            [&] { return assembler.fetch("x", answer(assembler, {}), 30s, stop.get_token()); });
  while (assembler.usage().assemblies == 0) std::this_thread::yield();
  stop.request_stop();
  EXPECT_EQ(stopped.get().error().code, FleetError::cancelled);
  auto closed = std::async(std::launch::async, [&] { return assembler.fetch("x", answer(assembler, {}), 30s); });
  while (assembler.usage().assemblies == 0) std::this_thread::yield();
  assembler.close();
  EXPECT_EQ(closed.get().error().code, FleetError::cancelled);
  EXPECT_EQ(assembler.fetch("x", answer(assembler, {}), 1s).error().code, FleetError::cancelled);
}

}  // namespace
}  // namespace coffer::fleet
