#include "codec/base64.h"
#include "codec/der.h"
#include "evidence/nvidia/simulate.h"

namespace coffer::evidence::nvidia {

namespace der = codec::der;
namespace json = codec::json;

namespace {

using namespace std::chrono_literals;

constexpr unsigned measurements = 64;
constexpr std::size_t digest_size = 48;

struct Level {
  crypto::Certificate certificate;
  crypto::PrivateKey key;
};

// RFC 5280 section 4.2.1.13, with NVIDIA's address.
crypto::CertificateExtension revocation_list_at(const std::string& list) {
  const auto uri = der::encode(0x86, as_bytes("http://crl.ndis.nvidia.com/crl/" + list + ".crl"));
  const auto point = der::encode_sequence({der::encode(0xa0, der::encode(0xa0, uri))});
  return {.oid = "2.5.29.31", .value = der::encode_sequence({point})};
}

// `list`: the revocation list that the level names, as the upper two do.
Result<Level> make_level(std::string name, std::string_view list, const crypto::Issuer& issuer, TimePoint now) {
  auto key = TRY(crypto::PrivateKey::generate(crypto::KeyKind::ec_p384));
  crypto::CertificateRequest request{
      .common_name = std::move(name), .not_before = now - 24h, .not_after = now + 24h * 365, .is_ca = true};
  if (!list.empty()) request.extensions.push_back(revocation_list_at(std::string{list}));
  auto certificate = TRY(crypto::issue(request, key.public_key(), issuer));
  return Level{std::move(certificate), std::move(key)};
}

// As each generation of devices writes it.
Result<crypto::CertificateExtension> firmware_extension(const DeviceOptions& options,
                                                        const crypto::PrivateKey& device_key) {
  if (options.architecture != Architecture::hopper) {
    return crypto::CertificateExtension{.oid = std::string{tcb_info_oid},
                                        .value = encode_tcb_info(options.firmware_id)};
  }
  auto named = device_key.public_key();
  if (options.foreign_device_key) {
    named = TRY(crypto::PrivateKey::generate(crypto::KeyKind::ec_p384))
    .public_key();
  }
  return crypto::CertificateExtension{.oid = std::string{composite_device_id_oid},
                                      .value = encode_composite_device_id(named.to_spki_der(), options.firmware_id)};
}

Result<Level> make_leaf(const std::string& chip, const Level& device, const DeviceOptions& options, TimePoint now) {
  auto key = TRY(crypto::PrivateKey::generate(crypto::KeyKind::ec_p384));
  crypto::CertificateRequest request{.common_name = chip + " A01 GSP FMC LF",
                                     .not_before = now - 12h,
                                     .not_after = options.expired ? now - 1min : now + 24h * 365};
  request.extensions.push_back(TRY(firmware_extension(options, device.key)));
  auto certificate = TRY(crypto::issue(request, key.public_key(), {device.certificate, device.key}));
  return Level{std::move(certificate), std::move(key)};
}

OpaqueData::Item item(OpaqueType type, Bytes value) {
  return {static_cast<std::uint16_t>(type), std::move(value)};
}

Bytes text_field(std::string_view text) {
  auto out = to_bytes(text);
  out.push_back(std::byte{0});
  return out;
}

}  // namespace

Result<SimulatedDevice> make_simulated_device(const SimulatorRoot& root, const DeviceOptions& options, TimePoint now) {
  const std::string chip = options.architecture == Architecture::hopper ? "GH100" : "GB20X";
  const auto line = TRY(make_level("SIMULATED " + chip + " Identity", "l1-root", root.issuer(), now));
  const auto provisioner =
      TRY(make_level("SIMULATED " + chip + " Provisioner ICA 1", "l2-simulated", {line.certificate, line.key}, now));
  const auto device = TRY(make_level(chip + " A01 GSP BROM", "", {provisioner.certificate, provisioner.key}, now));
  auto leaf = TRY(make_leaf(chip, device, options, now));
  return SimulatedDevice{
      options.architecture,
      {leaf.certificate, device.certificate, provisioner.certificate, line.certificate, root.certificate},
      std::move(leaf.key),
      line.key,
      options.firmware_id};
}

Report simulated_report(const SimulatedDevice& device, ByteView nonce) {
  Report out{.nonce = to_bytes(nonce), .measurements = {}, .responder_nonce = Bytes(nonce_size, std::byte{0xb4})};
  for (unsigned index = 1; index <= measurements; ++index) {
    // Some registers stay empty, as the first one does on real devices.
    auto value = index % 8 == 1 ? Bytes(digest_size)
                                : crypto::sha384(as_bytes("simulated GPU measurement " + std::to_string(index)));
    out.measurements.push_back({static_cast<std::uint8_t>(index), 1, std::move(value)});
  }
  std::vector<OpaqueData::Item> items{item(OpaqueType::vbios_version, *codec::hex_decode("009f009601000000")),
                                      item(OpaqueType::board_id, *codec::hex_decode("b1030000")),
                                      item(OpaqueType::driver_version, text_field("550.90.07")),
                                      item(OpaqueType::gpu_info, *codec::hex_decode("8001000000000000")),
                                      item(OpaqueType::nvdec0_status, Bytes{std::byte{0x55}}),
                                      item(OpaqueType::firmware_id, device.firmware_id)};
  if (device.architecture == Architecture::blackwell) items.push_back(item(OpaqueType::chip_info, text_field("GB202")));
  out.opaque_data = OpaqueData::of(std::move(items));
  return out;
}

Result<Bytes> sign_report(const Report& report, const crypto::PrivateKey& key) {
  const auto message = encode_unsigned(report);
  return concat({ message, TRY(key.sign(crypto::SignatureAlgorithm::es384, message)) });
}

json::Value evidence_of(const SimulatedDevice& device, ByteView report) {
  std::string pem;
  for (const auto& certificate : device.certificates) pem += certificate.to_pem();
  return device_json(device.architecture, "GPU-51d00000-0000-0000-0000-000000000000", report, pem);
}

}  // namespace coffer::evidence::nvidia
