// Arbitrary text as a policy: the lexical check must keep the Rego parser within bounds, and whatever parses is
// evaluated and explained. Small inputs only: the parser itself is not what is fuzzed here.
#include <cstdlib>

#include "policy/engine.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace coffer;
  if (size > 2048) return 0;
  const std::string text{reinterpret_cast<const char*>(data), size};
  auto policy = policy::Policy::parse("fuzz.rego", "package policy\n" + text);
  if (!policy) {
    // A parser that does not come back is a finding.
    if (policy.error().code == policy::PolicyError::timeout) std::abort();
    return 0;
  }
  (void)policy->evaluate({.query = "data.policy.allow",
                          .input = codec::json::Object{{"a", 1}, {"b", codec::json::Array{1, "x"}}},
                          .budget = std::chrono::milliseconds{200},
                          .explain = true});
  return 0;
}
