#include "evidence/snp/simulate.h"

#include <algorithm>

#include "base/byte_reader.h"
#include "crypto/crl.h"
#include "crypto/random.h"

namespace coffer::evidence::snp {

namespace {

constexpr std::string_view amd_arc = "1.3.6.1.4.1.3704.1.";
constexpr std::uint64_t debug_bit = 1U << 19;

// AMD's names, with the mark where AMD's own would be.
crypto::CertificateRequest request(std::string name, bool is_ca, const PlatformOptions& options) {
  return {.common_name = std::move(name),
          .not_before = options.not_before,
          .not_after = options.not_after,
          .is_ca = is_ca,
          .rsa_pss = true,
          .subject = {{"2.5.4.11", "Engineering"}, {"2.5.4.10", std::string{simulator_mark}}}};
}

Bytes der(std::uint8_t tag, ByteView content) {
  return concat({std::array{std::byte{tag}, static_cast<std::byte>(content.size())}, content});
}

// A DER integer needs a zero before a byte over 127.
Bytes encoded(std::uint8_t number, bool bare) {
  if (bare) return Bytes{std::byte{number}};
  const std::array both{std::byte{0}, std::byte{number}};
  return der(0x02, number > 127 ? ByteView{both} : ByteView{both}.subspan(1));
}

void add_amd_extensions(crypto::CertificateRequest& into, const PlatformOptions& options, const TcbVersion& tcb,
                        const Field<64>& chip_id) {
  const auto add = [&](std::string_view arc, Bytes value) {
    into.extensions.push_back({std::string{amd_arc} + std::string{arc}, false, std::move(value)});
  };
  const auto product = std::string{name_of(options.product)} + "-B0";
  add("2", der(0x16, as_bytes(product)));
  add("3.1", encoded(tcb.bootloader, options.other_encoding));
  add("3.2", encoded(tcb.tee, options.other_encoding));
  add("3.3", encoded(tcb.snp, options.other_encoding));
  add("3.8", encoded(tcb.microcode, options.other_encoding));
  if (tcb.fmc) add("3.9", encoded(*tcb.fmc, options.other_encoding));
  if (options.signing_key != SigningKey::vcek) return;
  const auto id = ByteView{chip_id}.first(options.product == Product::turin ? 8 : 64);
  add("4", options.other_encoding ? der(0x04, id) : to_bytes(id));
}

Field<64> new_chip_id(const PlatformOptions& options) {
  auto out = options.chip_id;
  if (out != Field<64>{}) return out;
  const auto bytes = crypto::system_random().bytes(options.product == Product::turin ? 8 : out.size());
  std::ranges::copy(bytes, out.begin());
  return out;
}

TcbVersion tcb_of(const PlatformOptions& options) {
  auto out = options.tcb;
  if (options.product == Product::turin && !out.fmc) out.fmc = 1;
  return out;
}

Result<crypto::Certificate> endorse(const PlatformOptions& options, const TcbVersion& tcb, const Field<64>& chip_id,
                                    const crypto::PublicKey& key, const crypto::Issuer& issuer) {
  auto wanted = request(options.signing_key == SigningKey::vlek ? "SEV-VLEK" : "SEV-VCEK", false, options);
  wanted.rsa_pss = issuer.key.kind() == crypto::KeyKind::rsa;
  add_amd_extensions(wanted, options, tcb, chip_id);
  return crypto::issue(wanted, key, issuer);
}

void set_cpuid(Report& report, Product product) {
  report.cpuid_fam_id = product == Product::turin ? 0x1a : 0x19;
  report.cpuid_mod_id = product == Product::genoa ? 0x11 : 0x01;
  report.cpuid_step = 1;
}

Report unsigned_report(const SimulatedPlatform& platform, const GuestOptions& guest, const Field<64>& report_data) {
  Report out;
  out.version = guest.version;
  out.policy = guest.policy;
  out.sig_algo = 1;
  out.plat_info = guest.plat_info;
  out.key_info = static_cast<std::uint32_t>(platform.signing_key) << 2;
  out.report_data = report_data;
  out.measurement = guest.measurement;
  out.host_data = guest.host_data;
  std::ranges::copy(crypto::system_random().bytes(out.report_id.size()), out.report_id.begin());
  out.report_id_ma.fill(std::byte{0xff});
  out.current_tcb = out.reported_tcb = out.committed_tcb = out.launch_tcb = platform.tcb;
  if (out.version >= 3) set_cpuid(out, platform.product);
  out.chip_id = platform.chip_id;
  out.current = out.committed = {1, 55, 40};
  if (out.version >= 5) out.launch_mit_vector = out.current_mit_vector = 0;
  return out;
}

void apply(const Faults& faults, Report& report) {
  if (faults.old_tcb) report.reported_tcb.microcode -= 1;
  if (faults.debug) report.policy |= debug_bit;
  if (faults.wrong_measurement) report.measurement[0] ^= std::byte{1};
  if (faults.wrong_nonce) report.report_data[0] ^= std::byte{1};
  if (faults.other_chip) report.chip_id[0] ^= std::byte{1};
  if (faults.lower_privilege) report.vmpl = 1;
  if (faults.masked_chip_id) report.chip_id = {};
}

Field<72> little_endian(ByteView big_endian) {
  Field<72> out{};
  std::ranges::reverse_copy(big_endian, out.begin());
  return out;
}

Result<> sign(Report& report, const crypto::PrivateKey& key) {
  const auto raw = report.encode();
  const auto signature = TRY(key.sign(crypto::SignatureAlgorithm::es384, ByteView{raw}.first(signed_size)));
  const ByteView both{signature};
  report.signature = {little_endian(both.first(both.size() / 2)), little_endian(both.subspan(both.size() / 2))};
  return {};
}

}  // namespace

Result<SimulatedPlatform> SimulatedPlatform::create(const SimulatorRoot& root, const PlatformOptions& options) {
  const std::string line{name_of(options.product)};
  auto ark_key = TRY(crypto::PrivateKey::generate(crypto::KeyKind::rsa, options.rsa_bits));
  // The simulator's root is no RSA key; from here on all is signed as AMD signs.
  auto ark_request = request("ARK-" + line, true, options);
  ark_request.rsa_pss = root.key.kind() == crypto::KeyKind::rsa;
  auto ark = TRY(crypto::issue(ark_request, ark_key.public_key(), root.issuer()));
  auto signer_key = TRY(crypto::PrivateKey::generate(crypto::KeyKind::rsa, options.rsa_bits));
  const auto signer_name = (options.signing_key == SigningKey::vlek ? "SEV-VLEK-" : "SEV-") + line;
  auto signer =
      TRY(crypto::issue(request(signer_name, true, options), signer_key.public_key(), crypto::Issuer{ark, ark_key}));
  auto key = TRY(crypto::PrivateKey::generate(crypto::KeyKind::ec_p384));
  const auto chip_id = new_chip_id(options);
  const auto tcb = tcb_of(options);
  auto endorsement = TRY(endorse(options, tcb, chip_id, key.public_key(), crypto::Issuer{signer, signer_key}));
  return SimulatedPlatform{options.product,   options.signing_key,   tcb,
                           chip_id,           std::move(ark),        std::move(ark_key),
                           std::move(signer), std::move(signer_key), std::move(endorsement),
                           std::move(key)};
}

Result<SimulatedPlatform> SimulatedPlatform::with_endorsement(const PlatformOptions& options) const {
  auto out = *this;
  out.chip_id = new_chip_id(options);
  out.tcb = tcb_of(options);
  out.product = options.product;
  out.signing_key = options.signing_key;
  out.endorsement_key = TRY(crypto::PrivateKey::generate(crypto::KeyKind::ec_p384));
  out.endorsement = TRY(endorse(options, out.tcb, out.chip_id, out.endorsement_key.public_key(),
                                crypto::Issuer{out.signer, out.signer_key}));
  return out;
}

std::vector<CertificateEntry> SimulatedPlatform::certificates() const {
  return {{signing_key == SigningKey::vlek ? CertificateType::vlek : CertificateType::vcek, endorsement.der()},
          {CertificateType::ask, signer.der()},
          {CertificateType::ark, ark.der()}};
}

Result<CertificateEntry> SimulatedPlatform::revocation_list(bool of_ark, std::span<const crypto::Certificate> revoked,
                                                            TimePoint this_update, TimePoint next_update) const {
  crypto::CrlRequest wanted{.this_update = this_update, .next_update = next_update, .rsa_pss = true};
  for (const auto& certificate : revoked) wanted.serial_numbers.push_back(certificate.serial_number());
  const auto issuer = of_ark ? crypto::Issuer{ark, ark_key} : crypto::Issuer{signer, signer_key};
  return CertificateEntry {
    CertificateType::crl, TRY(crypto::issue_crl(wanted, issuer))
    .der()
  };
}

namespace {

Result<SimulatedPlatform> with_expired_endorsement(const SimulatedPlatform& platform) {
  const auto begin = platform.endorsement.not_before();
  return platform.with_endorsement({.product = platform.product,
                                    .signing_key = platform.signing_key,
                                    .tcb = platform.tcb,
                                    .chip_id = platform.chip_id,
                                    .not_before = begin,
                                    .not_after = begin + std::chrono::seconds{1}});
}

}  // namespace

Result<Evidence> simulate(const SimulatedPlatform& sound, const GuestOptions& guest, const Faults& faults,
                          const Field<64>& report_data) {
  const auto platform = faults.expired ? TRY(with_expired_endorsement(sound)) : sound;
  auto report = unsigned_report(platform, guest, report_data);
  apply(faults, report);
  TRY(report.check_shape());
  TRY(sign(report, platform.endorsement_key));
  if (faults.bad_signature) report.signature.r[0] ^= std::byte{1};
  Evidence out{std::move(report)};
  if (!faults.no_certificates) out.certificates = platform.certificates();
  if (faults.revoked) {
    out.certificates.push_back(TRY(platform.revocation_list(true, {&platform.signer, 1}, platform.signer.not_before(),
                                                            platform.signer.not_after())));
  }
  return out;
}

}  // namespace coffer::evidence::snp
