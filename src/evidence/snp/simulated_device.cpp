// The simulator as a device, and as the attester that "simulated:snp" chooses.
#include <cerrno>
#include <fstream>
#include <iterator>
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

using namespace std::chrono_literals;

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
    const std::scoped_lock lock{mutex_};
    TRY(prepare());
    const auto device = simulated_sev_guest(*platform_, settings_.guest, settings_.faults);
    Field<64> asked{};
    if (report_data.size() > asked.size()) {
      return fail(EvidenceError::bad_runtime_data,
                  "report data has at most 64 bytes, not " + std::to_string(report_data.size()));
    }
    std::ranges::copy(report_data, asked.begin());
    // With the fault wrong_nonce the real attester would refuse the answer itself: the evidence is made directly.
    if (settings_.faults.wrong_nonce) {
      return TRY(simulate(*platform_, settings_.guest, settings_.faults, asked)).to_json();
    }
    return TRY(request_evidence(*device, asked)).to_json();
  }

  // A real host launches the machine with this digest; the simulated one does so now, unless its settings say otherwise.
  Result<> bind_init_data(ByteView digest) const override {
    const std::scoped_lock lock{mutex_};
    TRY(prepare());
    auto& host_data = settings_.guest.host_data;
    const auto expected = fit_digest(digest, host_data.size());
    if (host_data == Field<32>{}) std::ranges::copy(expected, host_data.begin());
    if (equal(host_data, expected)) return {};
    return fail(EvidenceError::init_data_mismatch, "the simulated machine was launched with host data " +
                                                       codec::hex_encode(host_data) + ", the init-data's digest is " +
                                                       codec::hex_encode(expected));
  }

 private:
  Result<> prepare() const {
    if (platform_) return {};
    const auto root = TRY(load_simulator_root(directory_));
    settings_ = TRY(read_settings());
    const auto now = system_clock().now();
    constexpr unsigned quick_rsa_bits = 2048;
    platform_ = TRY(SimulatedPlatform::create(root, {.product = settings_.product,
                                                     .not_before = std::max(now - 1h, root.certificate.not_before()),
                                                     .not_after = root.certificate.not_after(),
                                                     .rsa_bits = quick_rsa_bits}));
    return {};
  }

  Result<SimulatorSettings> read_settings() const {
    std::ifstream in{directory_ / "snp.json"};
    if (!in) return SimulatorSettings{};
    const std::string text{std::istreambuf_iterator<char>{in}, {}};
    const auto value = json::parse(text, {.max_size = 64U << 10});
    if (!value) return fail(EvidenceError::bad_config, "snp.json: " + value.error().message);
    return SimulatorSettings::read(*value);
  }

  std::filesystem::path directory_;
  mutable std::mutex mutex_;
  mutable std::optional<SimulatedPlatform> platform_;
  mutable SimulatorSettings settings_;
};

std::unexpected<Error> bad(std::string_view what) {
  return fail(EvidenceError::bad_config, "the simulator's settings for SNP: " + std::string{what});
}

Result<> read_faults(const json::Value& value, Faults& into) {
  const std::map<std::string_view, bool*> known{
      {"old_tcb", &into.old_tcb},
      {"debug", &into.debug},
      {"wrong_measurement", &into.wrong_measurement},
      {"wrong_nonce", &into.wrong_nonce},
      {"other_chip", &into.other_chip},
      {"lower_privilege", &into.lower_privilege},
      {"bad_signature", &into.bad_signature},
      {"masked_chip_id", &into.masked_chip_id},
      {"no_certificates", &into.no_certificates},
      {"revoked", &into.revoked}};
  const auto* array = value.if_array();
  if (array == nullptr) return bad("faults is expected to be an array of names");
  for (const auto& element : *array) {
    const auto* name = element.if_string();
    const auto fault = name == nullptr ? known.end() : known.find(*name);
    if (fault == known.end()) return bad("there is no fault " + json::serialize(element));
    *fault->second = true;
  }
  return {};
}

template <std::size_t size>
Result<> read_hex(const json::Value& value, std::string_view name, Field<size>& into) {
  const auto* text = value.if_string();
  const auto bytes = text == nullptr ? Result<Bytes>{} : codec::hex_decode(*text);
  if (!bytes || bytes->size() != size) {
    return bad(std::string{name} + " is expected to be " + std::to_string(size) + " bytes in hex");
  }
  std::ranges::copy(*bytes, into.begin());
  return {};
}

template <std::unsigned_integral T>
Result<> read_number(const json::Value& value, std::string_view name, T& into) {
  const auto number = value.if_uint64();
  if (!number || *number > std::numeric_limits<T>::max()) {
    return bad(std::string{name} + " is expected to be an integer of at most " + std::to_string(sizeof(T)) + " bytes");
  }
  into = static_cast<T>(*number);
  return {};
}

Result<> read_member(const std::string& name, const json::Value& value, SimulatorSettings& into) {
  if (name == "faults") return read_faults(value, into.faults);
  if (name == "measurement") return read_hex(value, name, into.guest.measurement);
  if (name == "host_data") return read_hex(value, name, into.guest.host_data);
  if (name == "policy") return read_number(value, name, into.guest.policy);
  if (name == "plat_info") return read_number(value, name, into.guest.plat_info);
  if (name == "report_version") return read_number(value, name, into.guest.version);
  if (name != "product") return bad("there is no setting \"" + name + "\"");
  const auto product = value.is_string() ? product_of_text(*value.if_string()) : std::nullopt;
  if (!product) return bad("product is expected to be Milan, Genoa or Turin");
  into.product = *product;
  return {};
}

}  // namespace

Result<SimulatorSettings> SimulatorSettings::read(const json::Value& value) {
  const auto* object = value.if_object();
  if (object == nullptr) return bad("an object is expected");
  SimulatorSettings out;
  for (const auto& [name, member] : *object) TRY(read_member(name, member, out));
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
