// The attester that "simulated:tdx" chooses.
#include <mutex>

#include "codec/base64.h"
#include "evidence/init_data.h"
#include "evidence/tdx/simulate.h"
#include "evidence/tdx/tdx.h"

namespace coffer::evidence::tdx {

namespace {

class SimulatedAttester final : public Attester {
 public:
  explicit SimulatedAttester(std::filesystem::path directory) : directory_(std::move(directory)) {}
  TeeKind kind() const override { return TeeKind::tdx; }

  Result<codec::json::Value> attest(ByteView report_data) const override {
    if (report_data.size() > 64) {
      return fail(EvidenceError::bad_runtime_data,
                  "report data has at most 64 bytes, not " + std::to_string(report_data.size()));
    }
    const std::scoped_lock lock{mutex_};
    const auto dials = TRY(read_dials());
    const auto authority = TRY(dcap::open_simulated_authority(directory_));
    const auto platform = TRY(simulate_platform(authority, dials.faults, system_clock().now()));
    return to_json(TRY(simulate(platform, dials.guest, dials.faults, report_data)));
  }

  // A real host launches the TD with this digest; the simulated one does so now, unless its dials say otherwise.
  Result<> bind_init_data(ByteView digest) const override {
    const std::scoped_lock lock{mutex_};
    launch_config_id_ = fit_digest(digest, launch_config_id_.size());
    const auto stated = TRY(read_dials())
    .guest.mr_config_id;
    if (equal(stated, launch_config_id_)) return {};
    return fail(EvidenceError::init_data_mismatch, "the simulated TD was launched with MRCONFIGID " +
                                                       codec::hex_encode(stated) + ", the init-data's digest is " +
                                                       codec::hex_encode(launch_config_id_));
  }

 private:
  // Read for each piece of evidence, so that they can be turned while a program runs.
  Result<Dials> read_dials() const {
    auto dials = TRY(Dials::read(TRY(load_simulator_settings(directory_, TeeKind::tdx))));
    if (dials.guest.mr_config_id == Bytes(48)) dials.guest.mr_config_id = launch_config_id_;
    return dials;
  }

  std::filesystem::path directory_;
  mutable std::mutex mutex_;
  mutable Bytes launch_config_id_ = Bytes(48);
};

}  // namespace

Result<std::unique_ptr<Attester>> make_simulator(TeeKind, const AttesterOptions& options) {
  return std::make_unique<SimulatedAttester>(options.simulator_directory);
}

}  // namespace coffer::evidence::tdx
