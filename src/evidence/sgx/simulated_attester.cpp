// The attester that "simulated:sgx" chooses.
#include "evidence/dcap/simulated_attester.h"

#include "evidence/sgx/sgx.h"
#include "evidence/sgx/simulate.h"

namespace coffer::evidence::sgx {

namespace {

struct Leaf {
  static constexpr auto kind = TeeKind::sgx;
  static constexpr std::string_view launched = "the simulated enclave runs with CONFIGID";
  using Dials = sgx::Dials;
  static Bytes& config_id(Dials& dials) { return dials.enclave.config_id; }
  static Result<codec::json::Value> evidence(const dcap::SimulatedAuthority& authority, const Dials& dials,
                                             ByteView report_data, TimePoint now) {
    const auto platform = TRY(simulate_platform(authority, dials.faults, now));
    const auto quote = TRY(simulate(platform, dials.enclave, dials.faults, report_data));
    return codec::json::Value{codec::json::Object{{"quote", codec::base64_encode(quote)}}};
  }
};

}  // namespace

Result<std::unique_ptr<Attester>> make_simulator(TeeKind, const AttesterOptions& options) {
  return std::make_unique<dcap::SimulatedAttester<Leaf>>(options.simulator_directory);
}

}  // namespace coffer::evidence::sgx
