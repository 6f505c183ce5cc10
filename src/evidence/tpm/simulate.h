// A TPM in software: real quotes over PCRs that a simulated boot has filled, by a key certified under the simulator's
// root, and faults to dial.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <string>

#include "evidence/simulator_root.h"
#include "evidence/simulator_settings.h"
#include "evidence/tpm/device.h"
#include "evidence/tpm/quote.h"
#include "evidence/tpm/tpm.h"

namespace coffer::evidence::tpm {

// An attestation key and its certificate. Its subject bears the simulator's mark, too.
struct SimulatedKey {
  crypto::PrivateKey key;
  crypto::Certificate certificate;
};
struct KeyOptions {
  crypto::KeyKind kind = crypto::KeyKind::rsa;
  TimePoint not_before;
  TimePoint not_after;
};
Result<SimulatedKey> make_simulated_key(const SimulatorRoot& root, const KeyOptions& options);

// A measured boot, as the log of an OVMF machine that starts a Linux kernel directly tells it.
struct SimulatedBoot {
  std::string firmware = "simulated firmware 1.0";  // PCR 0
  std::string kernel = "simulated kernel";          // PCR 4
  std::string command_line = "console=ttyS0";       // PCR 9, before
  std::string initrd = "simulated initrd";          // PCR 9
};
Bytes boot_log(const SimulatedBoot& boot);

class SoftwareTpm final : public TpmDevice {
 public:
  // PCRs hold what `log` leads to.
  static Result<std::shared_ptr<SoftwareTpm>> create(SimulatedKey key, std::vector<Bytes> certificates, ByteView log);

  Result<QuoteAnswer> quote(ByteView qualifying_data) override;
  Result<std::vector<Bytes>> read_pcrs() override;
  Result<> extend_pcr(unsigned pcr, ByteView digest) override;
  Result<std::vector<Bytes>> ak_certificates() override;
  Result<Bytes> read_nv(std::uint32_t index) override;
  Result<> write_nv(std::uint32_t index, ByteView content) override;

  // Dials, before use.
  void set_pcr(unsigned pcr, Bytes value) { pcrs_.at(pcr) = std::move(value); }
  // Changes what is said after it was signed.
  std::function<void(QuoteAnswer&)> alter_quote{};
  std::function<void(std::vector<Bytes>&)> alter_pcrs{};
  // Qualifying data that is signed in place of what was asked for.
  std::optional<Bytes> other_qualifying_data{};
  // Called after each write, as Azure's paravisor watches its index.
  std::function<void(SoftwareTpm&, std::uint32_t)> written_nv{};
  void put_nv(std::uint32_t index, Bytes content);

 private:
  SoftwareTpm(SimulatedKey key, std::vector<Bytes> certificates)
      : key_(std::move(key)), certificates_(std::move(certificates)) {}
  Result<Signature> sign(ByteView message) const;

  SimulatedKey key_;
  std::vector<Bytes> certificates_;
  std::mutex mutex_;
  std::vector<Bytes> pcrs_;
  std::map<std::uint32_t, Bytes> nv_;
};

// Faults of <simulator directory>/tpm.json: "wrong-measurement" (another kernel was started), "wrong-pcr",
// "wrong-nonce", "unknown-ak", "expired", "altered-event", "bad-signature", "no-event-log". Values: "firmware",
// "kernel", "command_line", "initrd" (text that is measured), "pcr00" to "pcr23" (hex; then no event log is given). The
// key is kept as <directory>/tpm-ak.key, so that policies can name it.
struct SimulatedMachine {
  std::shared_ptr<SoftwareTpm> tpm;
  std::optional<Bytes> event_log;
};
Result<SimulatedMachine> make_simulated_machine(const std::filesystem::path& directory, TimePoint now);

}  // namespace coffer::evidence::tpm
