#include <algorithm>
#include <fstream>
#include <system_error>

#include "base/byte_reader.h"
#include "base/file_descriptor.h"
#include "codec/base64.h"
#include "crypto/hash.h"
#include "evidence/dcap/detail/report_fields.h"
#include "evidence/dcap/detail/simulated.h"
#include "evidence/dcap/simulate.h"

namespace coffer::evidence::dcap {

namespace {

using namespace std::chrono_literals;

constexpr std::string_view pck_ca_name = "dcap-pck-ca";

// The mark stands in every subject, Intel's phrase beside it.
std::string marked(std::string_view phrase) {
  return std::string{simulator_mark} + ": " + std::string{phrase};
}

Bytes vendor_id() {
  return codec::hex_decode("939a7233f79c4ca9940a0db3957f0607").value();
}

crypto::CertificateRequest pck_request(const SimulatedAuthority& authority, const PlatformOptions& options) {
  const auto& ca = authority.pck_ca.certificate;
  crypto::CertificateRequest request{
      .common_name = marked("SGX PCK Certificate"), .not_before = ca.not_before(), .not_after = ca.not_after()};
  if (options.expired) request.not_after = options.now - 1min;
  if (options.revoked) request.serial_number = codec::hex_decode(simulated_revoked_serial).value();
  request.extensions.push_back({std::string{sgx_extensions_oid}, false, encode_pck_extensions(options.extensions)});
  return request;
}

// REPORTBODY of the quoting enclave that simulated_texts describes.
Bytes qe_report(Tee tee, const PlatformOptions& options, ByteView bound) {
  ByteWriter out;
  out.bytes(std::as_bytes(std::span{options.extensions.cpu_svn}));
  out.zeros(4 + 12 + 16);
  out.u64_le(0x11).u64_le(0xe7);
  out.bytes(crypto::sha256(as_bytes("simulated quoting enclave"))).zeros(32);
  out.bytes(detail::qe_signer(options.foreign_qe)).zeros(32);
  out.zeros(64).u16_le(detail::qe_product(tee)).u16_le(options.qe_isv_svn).u16_le(0).zeros(42 + 16);
  out.bytes(bound).zeros(32);
  return out.take();
}

Result<Bytes> point_of(const crypto::PrivateKey& key) {
  const auto point = TRY(key.public_key().ec_coordinates());
  return concat({point.x, point.y});
}

Result<> write_collateral(const SimulatedAuthority& authority, const std::filesystem::path& file) {
  const auto& root = authority.root.certificate;
  const auto request = simulated_collateral_request(root.not_before(), root.not_after());
  std::ofstream out{file, std::ios::trunc | std::ios::binary};
  out << TRY(make_collateral_json(authority, request));
  out.close();
  if (out) return {};
  return fail(EvidenceError::bad_config, "cannot write " + file.string());
}

}  // namespace

Result<SimulatedAuthority> make_simulated_authority(SimulatorRoot root, PckCa kind) {
  auto key = TRY(crypto::PrivateKey::generate(crypto::KeyKind::ec_p256));
  const auto phrase = kind == PckCa::platform ? "SGX PCK Platform CA" : "SGX PCK Processor CA";
  const crypto::CertificateRequest request{.common_name = marked(phrase),
                                           .not_before = root.certificate.not_before(),
                                           .not_after = root.certificate.not_after(),
                                           .is_ca = true};
  auto certificate = TRY(crypto::issue(request, key.public_key(), root.issuer()));
  return SimulatedAuthority{std::move(root), {std::move(certificate), std::move(key)}};
}

Result<SimulatedAuthority> open_simulated_authority(const std::filesystem::path& directory) {
  auto root = TRY(load_simulator_root(directory));
  std::error_code ignored;
  if (std::filesystem::exists(directory / (std::string{pck_ca_name} + ".key"), ignored)) {
    return SimulatedAuthority {
      std::move(root), TRY(load_simulator_root(directory, pck_ca_name))
    };
  }
  auto made = TRY(make_simulated_authority(std::move(root)));
  TRY(write_collateral(made, directory / simulated_collateral_file));
  TRY(write_simulator_root(directory, made.pck_ca, pck_ca_name));
  return made;
}

PckExtensions simulated_extensions(bool old_tcb) {
  PckExtensions out{};
  std::ranges::fill(out.ppid, std::uint8_t{0x51});
  out.components = old_tcb ? detail::old_components : detail::current_components;
  out.cpu_svn = out.components;
  out.pce_svn = detail::current_pce_svn;
  out.fmspc = detail::fmspc;
  out.sgx_type = 1;
  out.platform = PckExtensions::Platform{{}, true, true, true};
  std::ranges::fill(out.platform->instance_id, std::uint8_t{0x1d});
  return out;
}

Result<SimulatedPlatform> SimulatedPlatform::create(const SimulatedAuthority& authority, Tee tee,
                                                    PlatformOptions options) {
  SimulatedPlatform out {
    tee, std::move(options), TRY(crypto::PrivateKey::generate(crypto::KeyKind::ec_p256))
  };
  const auto pck_key = TRY(crypto::PrivateKey::generate(crypto::KeyKind::ec_p256));
  const auto pck =
      TRY(crypto::issue(pck_request(authority, out.options_), pck_key.public_key(), authority.pck_ca.issuer()));
  out.pck_chain_ = pck.to_pem() + authority.pck_ca.certificate.to_pem() + authority.root.certificate.to_pem();
  out.attestation_point_ = TRY(point_of(out.attestation_key_));
  const auto& authentication = out.options_.authentication_data;
  const auto report = qe_report(tee, out.options_, crypto::sha256(concat({out.attestation_point_, authentication})));
  ByteWriter certification;
  certification.bytes(report).bytes(TRY(pck_key.sign(crypto::SignatureAlgorithm::es256, report)));
  certification.u16_le(static_cast<std::uint16_t>(authentication.size())).bytes(authentication);
  certification.u16_le(5).u32_le(static_cast<std::uint32_t>(out.pck_chain_.size() + 1));
  certification.bytes(as_bytes(out.pck_chain_)).zeros(1);
  out.qe_certification_ = certification.take();
  return out;
}

Result<Bytes> SimulatedPlatform::quote(std::uint16_t version, ByteView body) const {
  ByteWriter signed_part;
  signed_part.u16_le(version).u16_le(2).u32_le(tee_ == Tee::sgx ? 0 : 0x81);
  // In version 3 the quoting enclave's and the PCE's SVN.
  if (version == 3) {
    signed_part.u16_le(options_.qe_isv_svn).u16_le(options_.extensions.pce_svn);
  } else {
    signed_part.zeros(4);
  }
  signed_part.bytes(vendor_id()).zeros(20);
  if (version == 5) {
    const std::uint16_t td_type = body.size() == detail::td_report15_size ? 3 : 2;
    signed_part.u16_le(tee_ == Tee::sgx ? 1 : td_type).u32_le(static_cast<std::uint32_t>(body.size()));
  }
  signed_part.bytes(body);
  ByteWriter data;
  data.bytes(TRY(attestation_key_.sign(crypto::SignatureAlgorithm::es256, signed_part.view())));
  data.bytes(attestation_point_);
  if (version > 3) data.u16_le(6).u32_le(static_cast<std::uint32_t>(qe_certification_.size()));
  data.bytes(qe_certification_);
  signed_part.u32_le(static_cast<std::uint32_t>(data.view().size())).bytes(data.view());
  return signed_part.take();
}

}  // namespace coffer::evidence::dcap
