// elastic:hal/random: the kernel-seeded generator of this process, the same for both functions.
#include <array>
#include <limits>

#include "workload/hal/interface.h"

namespace coffer::workload::hal {
namespace {

constexpr std::uint32_t max_random = 1U << 20;  // as upstream
constexpr std::size_t max_entropy = 64U << 10;
constexpr std::uint64_t quality_bits = 256;

class Random final : public Table<Random> {
 public:
  static constexpr std::string_view id = "elastic:hal/random@0.1.0";
  static std::span<const Function<Random>> table();
  explicit Random(const Context& context) : services_(context.services) {}

 private:
  Result<Value> bytes(Arguments& arguments) {
    const auto size = TRY(arguments.u32());
    if (size > max_random) {
      return fail(HalError::limit,
                  std::to_string(size) + " random bytes at once; at most " + std::to_string(max_random));
    }
    return Value{services_.random->bytes(size)};
  }
  Result<Value> entropy_info(Arguments&) {
    return record(field("source", "platform"), field("quality", quality_bits),
                  field("available-bytes", std::numeric_limits<std::uint64_t>::max()));
  }
  // Taken and not used: what other tasks draw is no guest's to influence, and nothing is missing.
  Result<Value> reseed(Arguments& arguments) {
    const auto entropy = TRY(arguments.bytes());
    if (entropy.size() > max_entropy) {
      return fail(HalError::limit, std::to_string(entropy.size()) + " bytes of entropy; at most 65536");
    }
    return nothing();
  }

  const Services& services_;
};

std::span<const Function<Random>> Random::table() {
  static constexpr std::array<Function<Random>, 4> functions = {{
      {"get-random-bytes", 1, &Random::bytes},
      {"get-secure-random", 1, &Random::bytes},
      {"get-entropy-info", 0, &Random::entropy_info},
      {"reseed", 1, &Random::reseed},
  }};
  return functions;
}

}  // namespace

std::unique_ptr<Interface> make_random(const Context& context) {
  return std::make_unique<Random>(context);
}

}  // namespace coffer::workload::hal
