// The attester that "simulated:tdx" chooses: a TD that lives as long as the program.
#include "evidence/dcap/simulated_attester.h"

#include "evidence/tdx/attest.h"
#include "evidence/tdx/simulate.h"
#include "evidence/tdx/tdx.h"

namespace coffer::evidence::tdx {

namespace {

struct Leaf {
  static constexpr auto kind = TeeKind::tdx;
  static constexpr std::string_view launched = "the simulated TD was launched with MRCONFIGID";
  using Dials = tdx::Dials;
  static Bytes& config_id(Dials& dials) { return dials.guest.mr_config_id; }
  static Result<codec::json::Value> evidence(const dcap::SimulatedAuthority& authority, const Dials& dials,
                                             ByteView report_data, TimePoint now) {
    const auto platform = TRY(simulate_platform(authority, dials.faults, now));
    return to_json(TRY(simulate(platform, dials.guest, dials.faults, report_data)));
  }
};

class SimulatedTd final : public dcap::SimulatedAttester<Leaf> {
 public:
  SimulatedTd(const std::filesystem::path& directory, std::function<Bytes()> event_log)
      : SimulatedAttester(directory), event_log_(std::move(event_log)) {}

  std::optional<MeasurementRegister> runtime_register(unsigned pcr_index) const override {
    return MeasurementRegister{log_index(pcr_index), crypto::HashAlgorithm::sha384};
  }

  Result<> extend_runtime_measurement(unsigned pcr_index, ByteView digest) const override {
    const auto size = crypto::digest_size(crypto::HashAlgorithm::sha384);
    if (digest.size() != size) {
      return fail(EvidenceError::device_failed,
                  "an RTMR is extended with " + std::to_string(size) + " bytes, not " + std::to_string(digest.size()));
    }
    const std::scoped_lock lock{mutex_};
    extensions_.push_back({log_index(pcr_index), to_bytes(digest)});
    return {};
  }

  Result<Bytes> read_runtime_measurement(unsigned pcr_index) const override {
    const std::scoped_lock lock{mutex_};
    return register_value(TRY(read_dials()).guest, log_index(pcr_index));
  }

 private:
  void prepare(Dials& dials) const override {
    dials.guest.extensions = extensions_;
    if (event_log_) dials.guest.agent_log = event_log_();
  }

  std::function<Bytes()> event_log_;
  mutable std::vector<Extension> extensions_;
};

}  // namespace

Result<std::unique_ptr<Attester>> make_simulator(TeeKind, const AttesterOptions& options) {
  return std::make_unique<SimulatedTd>(options.simulator_directory, options.simulated_event_log);
}

}  // namespace coffer::evidence::tdx
