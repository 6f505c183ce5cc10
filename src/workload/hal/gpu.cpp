// elastic:hal/gpu. No GPU is given to guests: the list of adapters is empty, and every other function says so instead
// of pretending to compute.
#include <array>

#include "workload/hal/interface.h"

namespace coffer::workload::hal {
namespace {

class Gpu final : public Table<Gpu> {
 public:
  static constexpr std::string_view id = "elastic:hal/gpu@0.1.0";
  static std::span<const Function<Gpu>> table();

 private:
  Result<Value> list(Arguments&) { return Value{codec::cbor::Array{}}; }
  Result<Value> none(Arguments&) { return fail(HalError::unavailable, "this worker has no GPU for its tasks"); }
};

std::span<const Function<Gpu>> Gpu::table() {
  static constexpr std::array<Function<Gpu>, 8> functions = {{
      {"list-adapters", 0, &Gpu::list},
      {"get-adapter-info", 1, &Gpu::none},
      {"create-device", 1, &Gpu::none},
      {"create-buffer", 2, &Gpu::none},
      {"write-buffer", 3, &Gpu::none},
      {"read-buffer", 3, &Gpu::none},
      {"create-compute-pipeline", 2, &Gpu::none},
      {"dispatch", 5, &Gpu::none},
  }};
  return functions;
}

}  // namespace

std::unique_ptr<Interface> make_gpu(const Context&) {
  return std::make_unique<Gpu>();
}

}  // namespace coffer::workload::hal
