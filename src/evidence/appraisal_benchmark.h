// Appraisals of a benchmark's scene, which has `new_verifier()`, `evidence` bound to 48 zeros, and `now`.
#pragma once

#include <benchmark/benchmark.h>

#include <cstdlib>

#include "evidence/tee.h"

namespace coffer::evidence {

template <class Scene>
void appraise_with_cached_chain(benchmark::State& state, const Scene& scene) {
  const auto verifier = scene.new_verifier();
  for (auto _ : state) {
    if (!verifier->verify(scene.evidence, {Bytes(48), {}}, scene.now)) std::abort();
  }
}

template <class Scene>
void appraise_with_new_chain(benchmark::State& state, const Scene& scene) {
  for (auto _ : state) {
    if (!scene.new_verifier()->verify(scene.evidence, {Bytes(48), {}}, scene.now)) std::abort();
  }
}

}  // namespace coffer::evidence
