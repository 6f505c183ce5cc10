// The simulator as a device, and as the attester that "simulated:snp" chooses.
#include <algorithm>
#include <array>
#include <cerrno>
#include <limits>
#include <map>
#include <mutex>

#include "base/byte_reader.h"
#include "codec/base64.h"
#include "evidence/init_data.h"
#include "evidence/snp/simulate.h"
#include "evidence/snp/snp.h"

namespace coffer::evidence::snp {

namespace json = codec::json;

namespace {

class SimulatedDevice final : public SevGuestDevice {
 public:
  SimulatedDevice(SimulatedPlatform platform, GuestOptions guest, Faults faults)
      : platform_(std::move(platform)), guest_(guest), faults_(faults) {}

  Answer get_report(const Field<64>& report_data, std::uint32_t, std::uint32_t table_size) override {
    const auto evidence = simulate(platform_, guest_, faults_, report_data);
    if (!evidence) return {.error = EIO};
    Answer out;
    if (!evidence->certificates.empty()) out.certificate_table = make_certificate_table(evidence->certificates);
    if (out.certificate_table.size() > table_size) {
      constexpr std::uint64_t invalid_length = 1;
      return {EIO, invalid_length << 32, static_cast<std::uint32_t>(out.certificate_table.size())};
    }
    ByteWriter response;
    response.u32_le(0).u32_le(report_size).zeros(24).bytes(evidence->report.encode());
    out.response = response.take();
    return out;
  }
  void pause() override {}

 private:
  SimulatedPlatform platform_;
  GuestOptions guest_;
  Faults faults_;
};

// Made at the first question, because its keys take a moment and a program may never ask.
class SimulatedAttester final : public Attester {
 public:
  explicit SimulatedAttester(std::filesystem::path directory) : directory_(std::move(directory)) {}
  TeeKind kind() const override { return TeeKind::snp; }

  Result<json::Value> attest(ByteView report_data) const override {
    Field<64> asked{};
    if (report_data.size() > asked.size()) {
      return fail(EvidenceError::bad_runtime_data,
                  "report data has at most 64 bytes, not " + std::to_string(report_data.size()));
    }
    std::ranges::copy(report_data, asked.begin());
    const std::scoped_lock lock{mutex_};
    const auto dials = TRY(read_dials());
    TRY(prepare(dials));
    // The real attester would refuse an answer over other report data itself: that evidence is made directly.
    if (dials.faults.wrong_nonce) return TRY(simulate(*platform_, dials.guest, dials.faults, asked))
    .to_json();
    const auto device = simulated_sev_guest(*platform_, dials.guest, dials.faults);
    return TRY(request_evidence(*device, asked))
    .to_json();
  }

  // A real host launches the machine with this digest; the simulated one does so now, unless its dials say otherwise.
  Result<> bind_init_data(ByteView digest) const override {
    const std::scoped_lock lock{mutex_};
    const auto expected = fit_digest(digest, launch_host_data_.size());
    std::ranges::copy(expected, launch_host_data_.begin());
    const auto host_data = TRY(read_dials())
    .guest.host_data;
    if (equal(host_data, expected)) return {};
    return fail(EvidenceError::init_data_mismatch, "the simulated machine was launched with host data " +
                                                       codec::hex_encode(host_data) + ", the init-data's digest is " +
                                                       codec::hex_encode(expected));
  }

 private:
  // Its dials are read for each piece of evidence, so that they can be turned while a program runs.
  Result<Dials> read_dials() const {
    auto dials = TRY(Dials::read(TRY(load_simulator_settings(directory_, TeeKind::snp))));
    if (dials.guest.host_data == Field<32>{}) dials.guest.host_data = launch_host_data_;
    return dials;
  }

  Result<> prepare(const Dials& dials) const {
    if (platform_ && platform_->product == dials.product) return {};
    platform_ = TRY(open_simulated_platform(directory_, dials.product));
    return {};
  }

  std::filesystem::path directory_;
  mutable std::mutex mutex_;
  mutable std::optional<SimulatedPlatform> platform_;
  mutable Field<32> launch_host_data_{};
};

std::unexpected<Error> bad(const std::string& what) {
  return fail(EvidenceError::bad_config, "the simulator's settings for SNP: " + what);
}

Result<> read_faults(const SimulatorSettings& settings, Faults& into) {
  const std::map<std::string_view, bool*> known{{"old-tcb", &into.old_tcb},
                                                {"debug", &into.debug},
                                                {"wrong-measurement", &into.wrong_measurement},
                                                {"wrong-nonce", &into.wrong_nonce},
                                                {"other-chip", &into.other_chip},
                                                {"lower-privilege", &into.lower_privilege},
                                                {"bad-signature", &into.bad_signature},
                                                {"masked-chip-id", &into.masked_chip_id},
                                                {"no-certificates", &into.no_certificates},
                                                {"revoked", &into.revoked},
                                                {"expired", &into.expired}};
  return settings.read_faults(known);
}

template <std::size_t size>
Result<> read_field(const SimulatorSettings& settings, std::string_view name, Field<size>& into) {
  if (const auto bytes = TRY(settings.bytes(name, size))) std::ranges::copy(*bytes, into.begin());
  return {};
}

template <std::unsigned_integral T>
Result<> read_number(const SimulatorSettings& settings, std::string_view name, T& into) {
  if (const auto number = TRY(settings.number(name, std::numeric_limits<T>::max()))) into = static_cast<T>(*number);
  return {};
}

Result<> read_product(const SimulatorSettings& settings, Product& into) {
  const auto* value = settings.values.find("product");
  if (value == nullptr) return {};
  const auto product = value->is_string() ? product_of_text(*value->if_string()) : std::nullopt;
  if (!product) return bad("product is expected to be Milan, Genoa or Turin");
  into = *product;
  return {};
}

}  // namespace

Result<Dials> Dials::read(const SimulatorSettings& settings) {
  constexpr std::array known{"product", "report_version", "measurement", "host_data", "policy", "plat_info"};
  for (const auto& [name, value] : settings.values) {
    if (std::ranges::find(known, name) == known.end()) return bad("there is no value \"" + name + "\"");
  }
  Dials out;
  TRY(read_product(settings, out.product));
  TRY(read_number(settings, "report_version", out.guest.version));
  TRY(read_number(settings, "policy", out.guest.policy));
  TRY(read_number(settings, "plat_info", out.guest.plat_info));
  TRY(read_field(settings, "measurement", out.guest.measurement));
  TRY(read_field(settings, "host_data", out.guest.host_data));
  TRY(read_faults(settings, out.faults));
  return out;
}

std::unique_ptr<SevGuestDevice> simulated_sev_guest(SimulatedPlatform platform, GuestOptions guest, Faults faults) {
  return std::make_unique<SimulatedDevice>(std::move(platform), guest, faults);
}

Result<std::unique_ptr<Attester>> make_simulator(TeeKind, const AttesterOptions& options) {
  if (options.simulator_directory.empty()) return bad("the simulator's directory is missing");
  return std::make_unique<SimulatedAttester>(options.simulator_directory);
}

}  // namespace coffer::evidence::snp
