// The attester that "simulated:sgx" chooses.
#include <mutex>

#include "codec/base64.h"
#include "evidence/init_data.h"
#include "evidence/sgx/sgx.h"
#include "evidence/sgx/simulate.h"

namespace coffer::evidence::sgx {

namespace {

class SimulatedAttester final : public Attester {
 public:
  explicit SimulatedAttester(std::filesystem::path directory) : directory_(std::move(directory)) {}
  TeeKind kind() const override { return TeeKind::sgx; }

  Result<codec::json::Value> attest(ByteView report_data) const override {
    if (report_data.size() > 64) {
      return fail(EvidenceError::bad_runtime_data,
                  "report data has at most 64 bytes, not " + std::to_string(report_data.size()));
    }
    const std::scoped_lock lock{mutex_};
    const auto dials = TRY(read_dials());
    const auto authority = TRY(dcap::open_simulated_authority(directory_));
    const auto platform = TRY(simulate_platform(authority, dials.faults, system_clock().now()));
    const auto quote = TRY(simulate(platform, dials.enclave, dials.faults, report_data));
    return codec::json::Value{codec::json::Object{{"quote", codec::base64_encode(quote)}}};
  }

  // A real enclave is signed to run with this CONFIGID; the simulated one is so now, unless its dials say otherwise.
  Result<> bind_init_data(ByteView digest) const override {
    const std::scoped_lock lock{mutex_};
    config_id_ = fit_digest(digest, config_id_.size());
    const auto stated = TRY(read_dials())
    .enclave.config_id;
    if (equal(stated, config_id_)) return {};
    return fail(EvidenceError::init_data_mismatch, "the simulated enclave runs with CONFIGID " +
                                                       codec::hex_encode(stated) + ", the init-data's digest is " +
                                                       codec::hex_encode(config_id_));
  }

 private:
  // Read for each piece of evidence, so that they can be turned while a program runs.
  Result<Dials> read_dials() const {
    auto dials = TRY(Dials::read(TRY(load_simulator_settings(directory_, TeeKind::sgx))));
    if (dials.enclave.config_id == Bytes(64)) dials.enclave.config_id = config_id_;
    return dials;
  }

  std::filesystem::path directory_;
  mutable std::mutex mutex_;
  mutable Bytes config_id_ = Bytes(64);
};

}  // namespace

Result<std::unique_ptr<Attester>> make_simulator(TeeKind, const AttesterOptions& options) {
  return std::make_unique<SimulatedAttester>(options.simulator_directory);
}

}  // namespace coffer::evidence::sgx
