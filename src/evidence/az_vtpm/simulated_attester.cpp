// The attester that "simulated:az-snp-vtpm" and "simulated:az-tdx-vtpm" choose.
#include <mutex>

#include "evidence/az_vtpm/evidence.h"
#include "evidence/az_vtpm/simulate.h"
#include "evidence/tpm/registers.h"

namespace coffer::evidence::az_vtpm {

namespace {

// The machine boots once and lives as long as the program; its dials are read for each piece of evidence. `wrong-pcr`
// changes the evidence after it was made, because an attester would not send PCRs that its own quote contradicts.
class SimulatedAttester final : public Attester {
 public:
  SimulatedAttester(TeeKind kind, std::filesystem::path directory) : kind_(kind), directory_(std::move(directory)) {}
  TeeKind kind() const override { return kind_; }

  Result<codec::json::Value> attest(ByteView report_data) const override {
    const std::lock_guard lock{mutex_};
    const auto dials = TRY(Dials::read(TRY(load_simulator_settings(directory_, kind_))));
    const auto* guest = TRY(this->guest());
    machine_->turn(dials);
    auto value = guest->attest(report_data);
    TRY(machine_->last_report());
    if (!value || !dials.faults.wrong_pcr) return value;
    auto evidence = TRY(parse_evidence(kind_, *value));
    evidence.pcrs.at(4).back() ^= std::byte{1};
    return to_json(kind_, evidence);
  }

  Result<> bind_init_data(ByteView digest) const override {
    const std::lock_guard lock{mutex_};
    return TRY(guest())
    ->bind_init_data(digest);
  }
  std::optional<MeasurementRegister> runtime_register(unsigned pcr_index) const override {
    return tpm::runtime_register(pcr_index);
  }
  Result<> extend_runtime_measurement(unsigned pcr_index, ByteView digest) const override {
    const std::lock_guard lock{mutex_};
    return TRY(guest())
    ->extend_runtime_measurement(pcr_index, digest);
  }
  Result<Bytes> read_runtime_measurement(unsigned pcr_index) const override {
    const std::lock_guard lock{mutex_};
    return TRY(guest())
    ->read_runtime_measurement(pcr_index);
  }

 private:
  // The attester of real machines, over the simulated one.
  Result<const Attester*> guest() const {
    if (guest_ != nullptr) return guest_.get();
    machine_ = TRY(SimulatedMachine::boot(kind_, directory_));
    const auto open = [machine = machine_]() -> Result<std::shared_ptr<tpm::TpmDevice>> { return machine->tpm(); };
    guest_ = make_attester_over(kind_, {open, machine_, [](std::chrono::milliseconds) {}});
    return guest_.get();
  }

  TeeKind kind_;
  std::filesystem::path directory_;
  mutable std::mutex mutex_;
  mutable std::shared_ptr<SimulatedMachine> machine_;
  mutable std::unique_ptr<Attester> guest_;
};

}  // namespace

Result<std::unique_ptr<Attester>> make_simulator(TeeKind kind, const AttesterOptions& options) {
  return std::make_unique<SimulatedAttester>(kind, options.simulator_directory);
}

}  // namespace coffer::evidence::az_vtpm
