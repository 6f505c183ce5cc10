#include "evidence/nitro/simulate.h"

#include <algorithm>
#include <array>
#include <mutex>
#include <utility>

#include "codec/base64.h"
#include "evidence/nitro/nitro.h"

namespace coffer::evidence::nitro {

namespace json = codec::json;

namespace {

using namespace std::chrono_literals;

constexpr std::array faults{
    std::pair{std::string_view{"debug"}, Fault::debug},
    std::pair{std::string_view{"wrong-pcr"}, Fault::wrong_pcr},
    std::pair{std::string_view{"wrong-nonce"}, Fault::wrong_nonce},
    std::pair{std::string_view{"expired"}, Fault::expired},
    std::pair{std::string_view{"wrong-root"}, Fault::wrong_root},
    std::pair{std::string_view{"clock-skew"}, Fault::clock_skew},
    std::pair{std::string_view{"bad-signature"}, Fault::bad_signature},
};

struct Signer {
  std::vector<Bytes> cabundle;
  crypto::Certificate certificate;
  crypto::PrivateKey key;
};

Result<Signer> make_signer(const SimulatorRoot& root, bool expired, TimePoint now) {
  const auto zone_key = TRY(crypto::PrivateKey::generate(crypto::KeyKind::ec_p384));
  const auto zone = TRY(crypto::issue(
      {.common_name = "simulated.zonal.nitro-enclaves", .not_before = now - 6h, .not_after = now + 18h, .is_ca = true},
      zone_key.public_key(), root.issuer()));
  auto key = TRY(crypto::PrivateKey::generate(crypto::KeyKind::ec_p384));
  const auto begin = expired ? now - 4h : now - 1h;
  auto leaf = TRY(crypto::issue({.common_name = "i-0123456789abcdef0-enc0123456789abcdef.simulated.aws",
                                 .not_before = begin,
                                 .not_after = begin + 3h},
                                key.public_key(), {zone, zone_key}));
  return Signer{{root.certificate.der(), zone.der()}, std::move(leaf), std::move(key)};
}

void apply_to_payload(Fault fault, Payload& payload) {
  switch (fault) {
    case Fault::debug:
      for (const unsigned index : {0U, 1U, 2U}) payload.pcrs[index] = Bytes(pcr_size);
      return;
    case Fault::wrong_pcr: payload.pcrs[0] = crypto::sha384(as_bytes("another image")); return;
    case Fault::wrong_nonce: payload.nonce = Bytes(pcr_size, std::byte{0xee}); return;
    case Fault::clock_skew: payload.timestamp_ms += static_cast<std::uint64_t>(1h / 1ms); return;
    default: return;
  }
}

class NitroSimulator final : public Attester {
 public:
  explicit NitroSimulator(std::filesystem::path directory) : directory_(std::move(directory)) {}
  TeeKind kind() const override { return TeeKind::nitro; }

  Result<json::Value> attest(ByteView report_data) const override {
    const auto root = TRY(load_simulator_root(directory_));
    auto wanted = TRY(simulation_of(TRY(load_simulator_settings(directory_, TeeKind::nitro))));
    wanted.nonce = to_bytes(report_data);
    {
      const std::lock_guard lock(mutex_);
      if (!init_data_pcr_.empty()) wanted.pcrs[init_data_pcr] = init_data_pcr_;
    }
    const auto document = TRY(simulate_document(root, wanted, system_clock().now()));
    return json::Value{json::Object{{"document", codec::base64_encode(document)}}};
  }

  Result<> bind_init_data(ByteView digest) const override {
    const std::lock_guard lock(mutex_);
    init_data_pcr_ = init_data_pcr_value(digest);
    return {};
  }

 private:
  std::filesystem::path directory_;
  mutable std::mutex mutex_;
  mutable Bytes init_data_pcr_;
};

}  // namespace

Result<Fault> parse_fault(std::string_view name) {
  std::string known_names;
  for (const auto& [known, fault] : faults) {
    if (known == name) return fault;
    known_names += (known_names.empty() ? "" : ", ") + std::string{known};
  }
  return fail(EvidenceError::bad_config,
              "\"" + std::string{name} + "\" is no fault of the Nitro simulator; known are " + known_names);
}

bool Simulation::has(Fault fault) const {
  return std::ranges::find(faults, fault) != faults.end();
}

Result<Simulation> simulation_of(const SimulatorSettings& settings) {
  Simulation out;
  for (const auto& name : settings.faults) out.faults.push_back(TRY(parse_fault(name)));
  for (unsigned index = 0; index < 32; ++index) {
    const auto value = TRY(settings.bytes("pcr" + std::to_string(index), pcr_size));
    if (value) out.pcrs[index] = *value;
  }
  return out;
}

std::map<unsigned, Bytes> Simulation::simulated_pcrs() {
  std::map<unsigned, Bytes> pcrs;
  for (unsigned index = 0; index < 16; ++index) {
    const bool is_set = index <= 2 || index == 4 || index == 8;
    pcrs[index] = is_set ? crypto::sha384(as_bytes("simulated nitro PCR" + std::to_string(index))) : Bytes(pcr_size);
  }
  return pcrs;
}

Result<Bytes> simulate_document(const SimulatorRoot& root, const Simulation& wanted, TimePoint now) {
  auto authority = root;
  if (wanted.has(Fault::wrong_root)) authority = TRY(make_foreign_root(now));
  const auto signer = TRY(make_signer(authority, wanted.has(Fault::expired), now));
  Payload payload{.module_id = "i-0123456789abcdef0-enc0123456789abcdef",
                  .timestamp_ms = static_cast<std::uint64_t>(now.time_since_epoch().count()),
                  .digest = "SHA384",
                  .pcrs = wanted.pcrs,
                  .certificate = signer.certificate.der(),
                  .cabundle = signer.cabundle,
                  .public_key = wanted.public_key,
                  .user_data = wanted.user_data,
                  .nonce = wanted.nonce};
  for (const auto fault : wanted.faults) apply_to_payload(fault, payload);
  auto document = TRY(codec::cose::sign(encode_payload(payload), signer.key, crypto::SignatureAlgorithm::es384));
  if (wanted.has(Fault::bad_signature)) document.back() ^= std::byte{1};
  return document;
}

Result<std::unique_ptr<Attester>> make_simulator(TeeKind, const AttesterOptions& options) {
  return std::make_unique<NitroSimulator>(options.simulator_directory);
}

}  // namespace coffer::evidence::nitro
