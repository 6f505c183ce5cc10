#include <algorithm>

#include "codec/base64.h"
#include "evidence/az_vtpm/simulate.h"
#include "evidence/init_data.h"
#include "evidence/snp/simulate.h"
#include "evidence/tdx/simulate.h"

namespace coffer::evidence::az_vtpm {

namespace json = codec::json;

namespace {

using namespace std::chrono_literals;

constexpr std::size_t nv_size = 2600;
constexpr unsigned kernel_pcr = 11;                 // systemd's stub measures the kernel image there
constexpr std::size_t td_report_data_offset = 128;  // REPORTDATA in REPORTMACSTRUCT (Intel TDX module ABI, TDREPORT)

// As the paravisor names it: a JWK, and no more of a key than a verifier needs.
Result<json::Value> jwk_of(const crypto::PublicKey& key) {
  const auto numbers = TRY(key.rsa_components());
  return json::Object{{"kid", "HCLAkPub"},
                      {"key_ops", json::Array{"sign"}},
                      {"kty", "RSA"},
                      {"e", codec::base64url_encode(numbers.exponent)},
                      {"n", codec::base64url_encode(numbers.modulus)}};
}

// A VCEK by the root itself; ASK and ARK would have no place in the evidence.
Result<snp::SimulatedPlatform> snp_platform(const SimulatorRoot& root, bool expired, TimePoint now) {
  const snp::PlatformOptions options{.not_before = now - 2h, .not_after = expired ? now - 1h : now + 24h};
  const snp::SimulatedPlatform below_root{
      options.product, snp::SigningKey::vcek, options.tcb, {}, root.certificate, root.key, root.certificate,
      root.key,        root.certificate,      root.key};
  return below_root.with_endorsement(options);
}

template <std::size_t N>
snp::Field<N> field_of(ByteView bytes) {
  snp::Field<N> out{};
  std::ranges::copy(bytes.first(std::min(bytes.size(), N)), out.begin());
  return out;
}

Bytes td_report_of(ByteView report_data) {
  Bytes out(td_report_size);
  std::ranges::copy(report_data, out.begin() + td_report_data_offset);
  return out;
}

}  // namespace

Result<Dials> Dials::read(const SimulatorSettings& settings) {
  Dials out;
  auto& faults = out.faults;
  TRY(settings.read_faults({{"wrong-nonce", &faults.wrong_nonce},
                            {"wrong-pcr", &faults.wrong_pcr},
                            {"wrong-kernel", &faults.wrong_kernel},
                            {"wrong-runtime-data", &faults.wrong_runtime_data},
                            {"old-report", &faults.old_report},
                            {"bad-signature", &faults.bad_signature},
                            {"wrong-measurement", &faults.wrong_measurement},
                            {"debug", &faults.debug},
                            {"old-tcb", &faults.old_tcb},
                            {"expired", &faults.expired}}));
  for (const auto& [name, value] : settings.values) {
    const auto* text = value.if_string();
    if ((name == "measurement" || name == "kernel") && text != nullptr) continue;
    return fail(EvidenceError::bad_config,
                "the simulator of Azure's machines has the values \"measurement\" and "
                "\"kernel\", both text, and not \"" +
                    name + "\"");
  }
  if (auto bytes = TRY(settings.bytes("measurement", out.measurement.size()))) out.measurement = *std::move(bytes);
  if (const auto* kernel = settings.values.find("kernel")) out.kernel = *kernel->if_string();
  return out;
}

SimulatedMachine::SimulatedMachine(TeeKind kind, std::filesystem::path directory, tpm::SimulatedKey key,
                                   std::shared_ptr<tpm::SoftwareTpm> tpm)
    : kind_(kind), directory_(std::move(directory)), attestation_key_(key.key.public_key()), tpm_(std::move(tpm)) {
  tpm_->written_nv = [this](tpm::SoftwareTpm&, std::uint32_t index) {
    if (index == report_data_index) last_report_ = renew();
  };
}

Result<std::shared_ptr<SimulatedMachine>> SimulatedMachine::boot(TeeKind kind, std::filesystem::path directory) {
  const auto now = system_clock().now();
  const auto root = TRY(load_simulator_root(directory));
  auto key = TRY(tpm::make_simulated_key(root, {.not_before = now - 1h, .not_after = now + 24h}));
  auto tpm = TRY(tpm::SoftwareTpm::create(key, {}, tpm::boot_log({})));
  return std::shared_ptr<SimulatedMachine>{
      new SimulatedMachine{kind, std::move(directory), std::move(key), std::move(tpm)}};
}

void SimulatedMachine::turn(Dials dials) {
  dials_ = std::move(dials);
  const auto kernel = dials_.kernel + (dials_.faults.wrong_kernel ? " of another build" : "");
  tpm_->set_pcr(kernel_pcr, crypto::sha256(concat({Bytes(32), crypto::sha256(as_bytes(kernel))})));
  tpm_->other_qualifying_data.reset();
  if (dials_.faults.wrong_nonce) tpm_->other_qualifying_data = Bytes(48, std::byte{0xee});
  tpm_->alter_quote = {};
  if (dials_.faults.bad_signature) {
    tpm_->alter_quote = [](tpm::QuoteAnswer& answer) { answer.signature.back() ^= std::byte{1}; };
  }
}

// Runtime data first, then the hardware's report on its digest (Microsoft, "attestation report format").
Result<> SimulatedMachine::renew() {
  const auto runtime = TRY(runtime_data());
  auto report_data = fit_digest(crypto::sha256(runtime), report_data_size);
  if (dials_.faults.wrong_runtime_data) report_data.front() ^= std::byte{1};
  const bool snp = kind_ == TeeKind::az_snp_vtpm;
  const auto hardware = snp ? snp_report(report_data) : Result<Bytes>{td_report_of(report_data)};
  if (!hardware) return fail(hardware.error());
  tpm_->put_nv(report_index, HclReport{snp ? Hardware::snp : Hardware::tdx, *hardware, runtime}.encode(nv_size));
  return {};
}

Result<Bytes> SimulatedMachine::runtime_data() {
  auto user_data = TRY(tpm_->read_nv(report_data_index));
  if (dials_.faults.old_report) std::ranges::fill(user_data, std::byte{0xee});
  const json::Object data{{"keys", json::Array{TRY(jwk_of(attestation_key_))}},
                          {"vm-configuration", json::Object{{"secure-boot", true}, {"tpm-enabled", true}}},
                          {"user-data", codec::hex_encode(user_data)}};
  return to_bytes(json::serialize(data));
}

Result<Bytes> SimulatedMachine::snp_report(ByteView report_data) {
  const auto root = TRY(load_simulator_root(directory_));
  const auto platform = TRY(snp_platform(root, dials_.faults.expired, system_clock().now()));
  const snp::Faults faults{.old_tcb = dials_.faults.old_tcb,
                           .debug = dials_.faults.debug,
                           .wrong_measurement = dials_.faults.wrong_measurement};
  const snp::GuestOptions guest{.measurement = field_of<48>(dials_.measurement)};
  const auto evidence = TRY(snp::simulate(platform, guest, faults, field_of<64>(report_data)));
  vcek_ = platform.endorsement.der();
  return evidence.report.encode();
}

Result<Bytes> SimulatedMachine::vcek() {
  return vcek_;
}

Result<Bytes> SimulatedMachine::td_quote(ByteView td_report) {
  const auto authority = TRY(dcap::open_simulated_authority(directory_));
  const tdx::Faults faults{.old_tcb = dials_.faults.old_tcb,
                           .expired = dials_.faults.expired,
                           .debug = dials_.faults.debug,
                           .wrong_measurement = dials_.faults.wrong_measurement};
  const auto platform = TRY(tdx::simulate_platform(authority, faults, system_clock().now()));
  const tdx::Guest guest{.mr_td = dials_.measurement};
  const auto report_data = td_report.subspan(td_report_data_offset, report_data_size);
  return TRY(tdx::simulate(platform, guest, faults, report_data))
  .quote;
}

}  // namespace coffer::evidence::az_vtpm
