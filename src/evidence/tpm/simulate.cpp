#include "evidence/tpm/simulate.h"

#include <fmt/format.h>

#include <algorithm>

#include "evidence/eventlog/agent_event_log.h"
#include "evidence/eventlog/event_log.h"
#include "evidence/eventlog/writer.h"
#include "evidence/tpm/evidence.h"
#include "evidence/tpm/registers.h"

namespace coffer::evidence::tpm {

using namespace std::chrono_literals;
using crypto::HashAlgorithm;
using eventlog::EventType;

namespace {

constexpr std::string_view key_name = "tpm-ak";
constexpr auto day = 24h;
constexpr std::array known_faults{"wrong-measurement", "wrong-pcr",     "wrong-nonce",   "unknown-ak",
                                  "expired",           "altered-event", "bad-signature", "no-event-log"};
constexpr std::array boot_values{"firmware", "kernel", "command_line", "initrd"};

void flip(Bytes& bytes) {
  bytes.back() ^= std::byte{1};
}

// The kept key, or a fresh one where there is none.
Result<SimulatedKey> kept_key(const std::filesystem::path& directory, const SimulatorRoot& root, TimePoint now) {
  if (std::filesystem::exists(directory / (std::string{key_name} + ".key"))) {
    auto kept = TRY(load_simulator_root(directory, key_name));
    return SimulatedKey{std::move(kept.key), std::move(kept.certificate)};
  }
  const auto made = TRY(make_simulated_key(root, {.not_before = now - 1h, .not_after = now + 3650 * day}));
  TRY(write_simulator_root(directory, {made.certificate, made.key}, key_name));
  return made;
}

std::unexpected<Error> bad_dial(std::string text) {
  return fail(EvidenceError::bad_config, "tpm.json: " + std::move(text));
}

Result<std::optional<unsigned>> pcr_of(std::string_view name) {
  if (!name.starts_with("pcr")) return std::nullopt;
  for (unsigned pcr = 0; pcr < pcr_count; ++pcr) {
    if (name == fmt::format("pcr{:02}", pcr)) return pcr;
  }
  return bad_dial(std::string{name} + " is none of pcr00 to pcr23");
}

Result<> check_names(const SimulatorSettings& settings) {
  for (const auto& fault : settings.faults) {
    if (std::ranges::find(known_faults, fault) == known_faults.end())
      return bad_dial("unknown fault \"" + fault + "\"");
  }
  for (const auto& [name, value] : settings.values) {
    if (TRY(pcr_of(name))) continue;
    if (std::ranges::find(boot_values, name) == boot_values.end()) return bad_dial("unknown value \"" + name + "\"");
    if (!value.is_string())
      return bad_dial(name + " is expected to be a string, found " + std::string{value.type_name()});
  }
  return {};
}

SimulatedBoot boot_of(const codec::json::Object& values) {
  SimulatedBoot out;
  const auto read = [&values](std::string_view name, std::string& into) {
    if (const auto* value = values.find(name)) into = *value->if_string();
  };
  read("firmware", out.firmware);
  read("kernel", out.kernel);
  read("command_line", out.command_line);
  read("initrd", out.initrd);
  return out;
}

// Whether values name PCRs themselves.
Result<bool> set_pcrs(SoftwareTpm& tpm, const SimulatorSettings& settings) {
  bool any = false;
  for (const auto& [name, value] : settings.values) {
    const auto pcr = TRY(pcr_of(name));
    if (!pcr) continue;
    tpm.set_pcr(*pcr, *TRY(settings.bytes(name, 32)));
    any = true;
  }
  return any;
}

// One digest of the last event differs, as if another initrd had been logged than was measured.
Bytes with_altered_event(const SimulatedBoot& boot) {
  auto other = boot;
  other.initrd += " altered";
  return boot_log(other);
}

}  // namespace

Result<SimulatedKey> make_simulated_key(const SimulatorRoot& root, const KeyOptions& options) {
  auto key = TRY(crypto::PrivateKey::generate(options.kind));
  const crypto::CertificateRequest request{
      .common_name = std::string{simulator_mark} + ", TPM attestation key",
      .not_before = options.not_before,
      .not_after = options.not_after,
      .purposes = {"2.23.133.8.3"},  // tcg-kp-AIKCertificate
  };
  auto certificate = TRY(crypto::issue(request, key.public_key(), root.issuer()));
  return SimulatedKey{std::move(key), std::move(certificate)};
}

Bytes boot_log(const SimulatedBoot& boot) {
  const Bytes separator(4);
  eventlog::LogWriter log{{HashAlgorithm::sha256}};
  log.add(0, EventType::s_crtm_version, as_bytes(boot.firmware));
  log.add(4, EventType::efi_action, as_bytes("Calling EFI Application from Boot Option"));
  for (std::uint32_t pcr = 0; pcr < 8; ++pcr) log.add(pcr, EventType::separator, separator);
  log.add(4, EventType::efi_boot_services_application, Bytes(32), as_bytes(boot.kernel));
  const auto named = [](std::uint32_t id, std::string_view name) {
    return eventlog::tagged_event(id, as_bytes(std::string{name} + '\0'));
  };
  log.add(9, EventType::event_tag, named(eventlog::linux_load_options_id, "LOADED_IMAGE::LoadOptions"),
          as_bytes(boot.command_line));
  log.add(9, EventType::event_tag, named(eventlog::linux_initrd_id, "Linux initrd"), as_bytes(boot.initrd));
  return log.log();
}

Result<SimulatedMachine> make_simulated_machine(const std::filesystem::path& directory, TimePoint now) {
  const auto settings = TRY(load_simulator_settings(directory, TeeKind::tpm));
  TRY(check_names(settings));
  const auto root = TRY(load_simulator_root(directory));
  auto key = TRY(kept_key(directory, root, now));
  const bool unknown = settings.has_fault("unknown-ak");
  if (unknown) key = TRY(make_simulated_key(root, {.not_before = now - 1h, .not_after = now + day}));
  auto certificate = key.certificate.der();
  if (settings.has_fault("expired")) {
    const crypto::CertificateRequest expired{.common_name = std::string{simulator_mark} + ", TPM attestation key",
                                             .not_before = now - 2 * day,
                                             .not_after = now - day,
                                             .purposes = {"2.23.133.8.3"}};
    certificate = TRY(crypto::issue(expired, key.key.public_key(), root.issuer()))
    .der();
  }
  auto boot = boot_of(settings.values);
  if (settings.has_fault("wrong-measurement")) boot.kernel += " altered";
  const auto log = boot_log(boot);
  std::vector<Bytes> certificates;
  if (!unknown) certificates.push_back(std::move(certificate));
  auto tpm = TRY(SoftwareTpm::create(std::move(key), std::move(certificates), log));
  SimulatedMachine out{tpm, settings.has_fault("altered-event") ? with_altered_event(boot) : log};
  if (TRY(set_pcrs(*tpm, settings)) || settings.has_fault("no-event-log")) out.event_log.reset();
  if (settings.has_fault("wrong-nonce")) tpm->other_qualifying_data = Bytes(32, std::byte{0xee});
  if (settings.has_fault("bad-signature")) tpm->alter_quote = [](QuoteAnswer& answer) { flip(answer.signature); };
  return out;
}

namespace {

// Follows the dials: what the settings say is read for each quote. `wrong-pcr` changes the evidence after it was made,
// because an attester would not send PCRs that its own quote contradicts.
class SimulatedAttester final : public Attester {
 public:
  SimulatedAttester(std::filesystem::path directory, std::function<Bytes()> agent_log)
      : directory_(std::move(directory)), agent_log_(std::move(agent_log)) {}
  TeeKind kind() const override { return TeeKind::tpm; }

  Result<codec::json::Value> attest(ByteView report_data) const override {
    const std::lock_guard lock{mutex_};
    const auto settings = TRY(load_simulator_settings(directory_, TeeKind::tpm));
    auto value = TRY(TRY(inner())->attest(report_data));
    if (!settings.has_fault("wrong-pcr")) return value;
    auto evidence = TRY(parse_evidence(value));
    flip(evidence.pcrs.at(4));
    return to_json(evidence);
  }
  Result<> bind_init_data(ByteView digest) const override {
    TRY(with_inner([digest](const Attester& tpm) { return tpm.bind_init_data(digest); }));
    const std::lock_guard lock{mutex_};
    const auto bound = [](const auto& each) { return each.first == init_data_pcr; };
    if (std::ranges::none_of(extensions_, bound)) extensions_.emplace_back(init_data_pcr, to_bytes(digest));
    return {};
  }
  std::optional<MeasurementRegister> runtime_register(unsigned pcr_index) const override {
    return tpm::runtime_register(pcr_index);
  }
  Result<> extend_runtime_measurement(unsigned pcr_index, ByteView digest) const override {
    TRY(with_inner([&](const Attester& tpm) { return tpm.extend_runtime_measurement(pcr_index, digest); }));
    const std::lock_guard lock{mutex_};
    extensions_.emplace_back(*runtime_pcr(pcr_index), to_bytes(digest));
    return {};
  }
  Result<Bytes> read_runtime_measurement(unsigned pcr_index) const override {
    return with_inner([pcr_index](const Attester& tpm) { return tpm.read_runtime_measurement(pcr_index); });
  }

 private:
  // A machine as the dials are now, with what this program has extended since.
  Result<std::unique_ptr<Attester>> inner() const {
    auto machine = TRY(make_simulated_machine(directory_, system_clock().now()));
    for (const auto& [pcr, digest] : extensions_) TRY(machine.tpm->extend_pcr(pcr, digest));
    auto log = machine.event_log;
    const auto agent_log = agent_log_ ? agent_log_() : Bytes{};
    if (log && !agent_log.empty()) log = TRY(eventlog::combine_logs(log, agent_log));
    return make_attester_over(machine.tpm, [log]() -> Result<std::optional<Bytes>> { return log; });
  }
  auto with_inner(auto act) const -> decltype(act(std::declval<const Attester&>())) {
    const std::lock_guard lock{mutex_};
    const auto tpm = TRY(inner());
    return act(*tpm);
  }

  std::filesystem::path directory_;
  std::function<Bytes()> agent_log_;
  mutable std::mutex mutex_;
  mutable std::vector<std::pair<unsigned, Bytes>> extensions_;
};

}  // namespace

Result<std::unique_ptr<Attester>> make_simulator(TeeKind, const AttesterOptions& options) {
  return std::make_unique<SimulatedAttester>(options.simulator_directory, options.simulated_event_log);
}

}  // namespace coffer::evidence::tpm
