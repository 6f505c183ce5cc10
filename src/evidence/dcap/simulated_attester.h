// What the attesters that "simulated:tdx" and "simulated:sgx" choose have in common. `Leaf` tells what is its own:
//
//   static constexpr TeeKind kind;
//   static constexpr std::string_view launched;   // "the simulated TD was launched with MRCONFIGID"
//   using Dials;                                  // with static Result<Dials> read(const SimulatorSettings&)
//   static Bytes& config_id(Dials&);              // all zero: whatever init-data asks for
//   static Result<json::Value> evidence(const SimulatedAuthority&, const Dials&, ByteView report_data, TimePoint now);
#pragma once

#include <mutex>

#include "codec/base64.h"
#include "evidence/dcap/simulate.h"
#include "evidence/init_data.h"
#include "evidence/simulator_settings.h"

namespace coffer::evidence::dcap {

template <class Leaf>
class SimulatedAttester : public Attester {
 public:
  explicit SimulatedAttester(std::filesystem::path directory) : directory_(std::move(directory)) {}
  TeeKind kind() const override { return Leaf::kind; }

  Result<codec::json::Value> attest(ByteView report_data) const override {
    if (report_data.size() > 64) {
      return fail(EvidenceError::bad_runtime_data,
                  "report data has at most 64 bytes, not " + std::to_string(report_data.size()));
    }
    const std::scoped_lock lock{mutex_};
    const auto dials = TRY(read_dials());
    const auto authority = TRY(open_simulated_authority(directory_));
    return Leaf::evidence(authority, dials, report_data, system_clock().now());
  }

  // A real host launches the guest with this digest; the simulated one does so now, unless its dials say otherwise.
  Result<> bind_init_data(ByteView digest) const override {
    const std::scoped_lock lock{mutex_};
    init_data_ = to_bytes(digest);
    auto dials = TRY(read_dials());
    const auto& stated = Leaf::config_id(dials);
    const auto expected = fit_digest(digest, stated.size());
    if (equal(stated, expected)) return {};
    return fail(EvidenceError::init_data_mismatch, std::string{Leaf::launched} + " " + codec::hex_encode(stated) +
                                                       ", the init-data's digest is " + codec::hex_encode(expected));
  }

 protected:
  // Read for each piece of evidence, so that they can be turned while a program runs. Called under the lock.
  Result<typename Leaf::Dials> read_dials() const {
    auto dials = TRY(Leaf::Dials::read(TRY(load_simulator_settings(directory_, Leaf::kind))));
    auto& config_id = Leaf::config_id(dials);
    if (init_data_ && equal(config_id, Bytes(config_id.size()))) config_id = fit_digest(*init_data_, config_id.size());
    prepare(dials);
    return dials;
  }
  // What the machine has come to since it was launched.
  virtual void prepare(typename Leaf::Dials&) const {}

  mutable std::mutex mutex_;

 private:
  std::filesystem::path directory_;
  mutable std::optional<Bytes> init_data_;
};

}  // namespace coffer::evidence::dcap
