// Our parser beside Boost.JSON's own tree on the same text, which is shaped like a broker's attestation message.
#include <benchmark/benchmark.h>

#include <boost/json.hpp>

#include "codec/base64.h"
#include "codec/json.h"

namespace {

using namespace coffer;
using namespace coffer::codec;

std::string evidence_text() {
  json::Object evidence;
  for (int i = 0; i < 64; ++i) {
    evidence.append("claim-" + std::to_string(i),
                    json::Object{{"value", base64_encode(Bytes(48, static_cast<std::byte>(i)))},
                                 {"svn", i * 1000003},
                                 {"ratio", i / 7.0},
                                 {"flags", json::Array{true, nullptr, i}}});
  }
  return json::serialize(json::Object{{"tee-evidence", std::move(evidence)}, {"quote", base64_encode(Bytes(5000))}});
}

void json_parse_ours(benchmark::State& state) {
  const auto text = evidence_text();
  for (auto _ : state) benchmark::DoNotOptimize(json::parse(text));
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * text.size()));
}
BENCHMARK(json_parse_ours);

void json_parse_boost(benchmark::State& state) {
  const auto text = evidence_text();
  for (auto _ : state) benchmark::DoNotOptimize(boost::json::parse(text));
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * text.size()));
}
BENCHMARK(json_parse_boost);

void json_serialize_ours(benchmark::State& state) {
  const auto value = json::parse(evidence_text()).value();
  for (auto _ : state) benchmark::DoNotOptimize(json::serialize(value));
}
BENCHMARK(json_serialize_ours);

void json_serialize_boost(benchmark::State& state) {
  const auto value = boost::json::parse(evidence_text());
  for (auto _ : state) benchmark::DoNotOptimize(boost::json::serialize(value));
}
BENCHMARK(json_serialize_boost);

void base64_decode_ours(benchmark::State& state) {
  const auto text = base64_encode(Bytes(1 << 16, std::byte{0x5a}));
  for (auto _ : state) benchmark::DoNotOptimize(base64_decode(text));
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * text.size()));
}
BENCHMARK(base64_decode_ours);

void base64_encode_ours(benchmark::State& state) {
  const Bytes data(1 << 16, std::byte{0x5a});
  for (auto _ : state) benchmark::DoNotOptimize(base64_encode(data));
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * data.size()));
}
BENCHMARK(base64_encode_ours);

}  // namespace

BENCHMARK_MAIN();
