#include <cstdlib>
#include <mutex>

#include "base/log.h"
#include "evidence/eventlog/agent_event_log.h"
#include "evidence/eventlog/writer.h"
#include "evidence/init_data.h"
#include "evidence/tpm/evidence.h"
#include "evidence/tpm/registers.h"
#include "evidence/tpm/tpm.h"
#include "evidence/tpm/tss_device.h"

namespace coffer::evidence::tpm {

namespace {

constexpr std::size_t bound_size = 32;

class TpmAttester final : public Attester {
 public:
  using OpenDevice = std::function<Result<std::shared_ptr<TpmDevice>>()>;
  TpmAttester(OpenDevice open, EventLogSource event_log, std::optional<eventlog::AgentLogPaths> agent_log = {})
      : open_(std::move(open)), event_log_(std::move(event_log)), agent_log_(std::move(agent_log)) {}
  TeeKind kind() const override { return TeeKind::tpm; }

  Result<codec::json::Value> attest(ByteView report_data) const override {
    const auto device = TRY(this->device());
    // No event comes between quote and log.
    std::shared_ptr<const void> held;
    if (agent_log_) held = TRY(eventlog::hold_agent_log(*agent_log_));
    auto quoted = TRY(quote_consistently(*device, fit_digest(report_data, bound_size)));
    return to_json({
      .ak_public = std::move(quoted.answer.ak_public), .message = std::move(quoted.answer.message),
      .signature = std::move(quoted.answer.signature), .pcrs = std::move(quoted.pcrs), .event_log = event_log(),
      .ak_certificates = TRY(device->ak_certificates())
    });
  }

  Result<> bind_init_data(ByteView digest) const override { return tpm::bind_init_data(*TRY(device()), digest); }
  std::optional<MeasurementRegister> runtime_register(unsigned pcr_index) const override {
    return tpm::runtime_register(pcr_index);
  }
  Result<> extend_runtime_measurement(unsigned pcr_index, ByteView digest) const override {
    return tpm::extend_runtime_measurement(*TRY(device()), pcr_index, digest);
  }
  Result<Bytes> read_runtime_measurement(unsigned pcr_index) const override {
    return tpm::read_runtime_measurement(*TRY(device()), pcr_index);
  }

 private:
  // Opened at the first use, and again where that failed.
  Result<std::shared_ptr<TpmDevice>> device() const {
    const std::lock_guard lock{mutex_};
    if (device_ == nullptr) device_ = TRY(open_());
    return device_;
  }

  // Evidence without a log is evidence all the same: the verifier decides whether it wants one.
  std::optional<Bytes> event_log() const {
    auto log = event_log_();
    if (log) return *std::move(log);
    log::warn("tpm.no_event_log", "evidence goes without the machine's event log", {{"reason", log.error().message}});
    return std::nullopt;
  }

  OpenDevice open_;
  EventLogSource event_log_;
  std::optional<eventlog::AgentLogPaths> agent_log_;
  mutable std::mutex mutex_;
  mutable std::shared_ptr<TpmDevice> device_;
};

}  // namespace

Result<std::optional<Bytes>> read_boot_log(const std::filesystem::path& root) {
  const char* wanted = std::getenv("COFFER_TPM_EVENTLOG");
  if (wanted != nullptr && std::string_view{wanted} == "off") return std::nullopt;
  const auto firmware = TRY(eventlog::read_log_file(root / "sys/kernel/security/tpm0/binary_bios_measurements"));
  if (firmware && !TRY(eventlog::EventLog::parse(*firmware)).has_algorithm(crypto::HashAlgorithm::sha256)) {
    return std::nullopt;
  }
  const auto agent_log = TRY(eventlog::read_log_file(eventlog::AgentLogPaths::from_environment(root).log));
  const eventlog::LogWriter header{{crypto::HashAlgorithm::sha256}};
  return eventlog::combine_logs(firmware, agent_log.value_or(Bytes{}), header.log());
}

std::unique_ptr<Attester> make_attester_over(std::shared_ptr<TpmDevice> device, EventLogSource event_log) {
  return std::make_unique<TpmAttester>([device]() -> Result<std::shared_ptr<TpmDevice>> { return device; },
                                       std::move(event_log));
}

Result<std::unique_ptr<Attester>> make_attester(TeeKind, const AttesterOptions& options) {
  const auto root = options.root;
  const auto open = [root]() -> Result<std::shared_ptr<TpmDevice>> {
    return make_tss_device(TRY(TssOptions::from_environment(root)));
  };
  return std::make_unique<TpmAttester>(
      open, [root] { return read_boot_log(root); }, eventlog::AgentLogPaths::from_environment(root));
}

}  // namespace coffer::evidence::tpm
