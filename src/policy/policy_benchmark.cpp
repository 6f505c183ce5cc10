// A resource policy: parsed once, evaluated for each request, with and without an explanation.
#include <benchmark/benchmark.h>

#include "policy/engine.h"

namespace coffer::policy {
namespace {

using codec::json::Array;
using codec::json::Object;

constexpr const char* resource_policy = R"(package policy
import rego.v1
default allow := false
allow if {
  data.plugin == "resource"
  count(input.submods) > 0
  every submod in input.submods { submod["ear.status"] == "affirming" }
}
)";

void evaluate(benchmark::State& state) {
  const auto policy = Policy::parse("resource.rego", resource_policy);
  if (!policy) return state.SkipWithError(to_string(policy.error()).c_str());
  EvaluationRequest request{.query = "data.policy.allow",
                            .input = Object{{"submods", Object{{"cpu0", Object{{"ear.status", "warning"}}}}}},
                            .explain = state.range(0) != 0};
  if (state.range(1) != 0)
    request.data = Object{{"plugin", "resource"}, {"resource-path", Array{"default", "key", "k"}}};
  for (auto _ : state) {
    const auto result = policy->evaluate(request);
    if (!result) return state.SkipWithError(to_string(result.error()).c_str());
  }
}
BENCHMARK(evaluate)->ArgNames({"explain", "data"})->Args({0, 0})->Args({0, 1})->Args({1, 1})->UseRealTime();

}  // namespace
}  // namespace coffer::policy

BENCHMARK_MAIN();
