// The layer pipeline on one generated tar of 64 MB, beside what its parts cost alone.
#include <benchmark/benchmark.h>
#include <unistd.h>

#include "image/pipeline/inflate_sink.h"
#include "image/pull.h"
#include "image/push.h"
#include "image/testing/archives.h"
#include "image/testing/memory_store.h"
#include "image/testing/temp_dir.h"

namespace coffer::image {
namespace {

using namespace image::testing;

constexpr std::size_t tar_size = 64U << 20;
const Bytes kek = to_bytes(std::string(32, 'K'));

// Files of 64 KiB, half noise and half text: they compress to about a half, as programs do.
Bytes make_tar() {
  TarBuilder tar;
  const auto text = std::string(32'000, 'a') + "some words that come again and again ";
  for (std::size_t made = 0, i = 0; made < tar_size; made += 65'536, ++i) {
    auto content = to_text(noise(32'768, static_cast<unsigned>(i)));
    while (content.size() < 65'000) content += text.substr(content.size() % 997, 1000);
    tar.file("dir" + std::to_string(i % 50) + "/file" + std::to_string(i), content);
  }
  return tar.build();
}

struct Images {
  Images() {
    put_image(plain, {gzip_layer(make_tar())});
    ocicrypt::Recipients recipients;
    recipients.keks.push_back({codec::ResourceUri::parse("kbs:///default/key/k1").value(), SecretBytes::copy_of(kek)});
    encrypt_image(plain, encrypted, recipients).value();
    keys.keys["default/key/k1"] = kek;
  }
  static Images& get() {
    static Images images;
    return images;
  }
  MemoryStore plain, encrypted;
  MapKeySource keys;
};

void unpack_tree(::benchmark::State& state, MemoryStore& store) {
  PullOptions options;
  options.keys.keys = &Images::get().keys;
  for (auto _ : state) {
    const TempDir temp;
    const auto pulled = pull_tree(store, temp / "tree", options);
    if (!pulled) state.SkipWithError(pulled.error().message.c_str());
    state.PauseTiming();
    std::filesystem::remove_all(temp / "tree");
    state.ResumeTiming();
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * tar_size));
}

void plain_layer(::benchmark::State& state) {
  unpack_tree(state, Images::get().plain);
}
void encrypted_layer(::benchmark::State& state) {
  unpack_tree(state, Images::get().encrypted);
}
BENCHMARK(plain_layer)->UseRealTime()->Unit(::benchmark::kMillisecond);
BENCHMARK(encrypted_layer)->UseRealTime()->Unit(::benchmark::kMillisecond);

class NullSink final : public ByteSink {
 public:
  Result<> write(ByteView) override { return {}; }
};

void inflate_alone(::benchmark::State& state) {
  auto& store = Images::get().plain;
  const auto& stored = store.blobs.at(store.current().layers[0].digest.text());
  for (auto _ : state) {
    NullSink out;
    const auto sink = make_inflate_sink(Compression::gzip, {}, out);
    sink->write(stored).value();
    sink->finish().value();
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * tar_size));
}
BENCHMARK(inflate_alone)->Unit(::benchmark::kMillisecond);

}  // namespace
}  // namespace coffer::image

BENCHMARK_MAIN();
