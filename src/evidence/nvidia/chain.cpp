#include "evidence/nvidia/chain.h"

#include <algorithm>
#include <array>

#include "codec/base64.h"
#include "crypto/crl.h"
#include "evidence/options.h"

namespace coffer::evidence::nvidia {

namespace {

constexpr std::string_view common_name_oid = "2.5.4.3";
constexpr std::string_view key_usage_oid = "2.5.29.15";
constexpr std::size_t fewest_certificates = 3;  // the device's, its kind's, the root

std::string printable_name(const crypto::Certificate& certificate) {
  return "\"" + certificate.subject() + "\"";
}

// Comparing the whole certificate pins key, name and validity alike.
Result<std::optional<std::string>> check_root(const crypto::Certificate& root,
                                              std::span<const crypto::Certificate> simulated_roots) {
  if (codec::hex_encode(root.sha256_fingerprint()) == nvidia_root_fingerprint) return std::nullopt;
  const auto same = [&](const crypto::Certificate& known) { return known.der() == root.der(); };
  if (std::ranges::any_of(simulated_roots, same)) return simulated_subject(root).value_or(root.subject());
  if (const auto subject = simulated_subject(root)) {
    return fail(EvidenceError::simulated_refused, "the report is a simulator's (\"" + *subject +
                                                      "\"), which was not chosen by name: `--allow-tee "
                                                      "simulated:nvidia` with that root would");
  }
  return fail(NvidiaError::unknown_root, "the chain is expected to end in NVIDIA's root (SHA-256 " +
                                             std::string{nvidia_root_fingerprint} + "), found " + printable_name(root) +
                                             " (SHA-256 " + codec::hex_encode(root.sha256_fingerprint()) + ")");
}

NvidiaError code_of(const Error& error) {
  if (error.code == crypto::CryptoError::not_valid_at_time) return NvidiaError::certificate_expired;
  if (error.code == crypto::CryptoError::revoked) return NvidiaError::revoked;
  return NvidiaError::untrusted;
}

Result<std::vector<Bytes>> revocation_lists(const std::vector<crypto::Certificate>& chain, Collateral& from,
                                            TimePoint at) {
  std::vector<Bytes> out;
  for (const auto& certificate : chain) {
    const auto item = revocation_list_item(certificate);
    if (!item) continue;
    const auto blob = from.get(*item, at);
    if (!blob) return fail(cannot_be_had(*item, blob.error()));
    out.push_back((*blob)->body);
  }
  return out;
}

// RFC 5280 section 6. What the chain ends in is settled before: the root is its last certificate.
Result<std::vector<crypto::Certificate>> verify(const std::vector<crypto::Certificate>& chain,
                                                const ChainCheck& check) {
  // NVIDIA publishes lists for the upper two levels alone; devices and their kind answer to OCSP.
  crypto::ChainOptions options{.at = check.at, .require_crl = false};
  options.intermediates.assign(chain.begin() + 1, chain.end() - 1);
  if (check.revocation_lists != nullptr) {
    options.crls = TRY(revocation_lists(chain, *check.revocation_lists, check.at));
  }
  const auto verified = crypto::verify_chain(chain.front(), {&chain.back(), 1}, options);
  if (verified) return *verified;
  return fail(code_of(verified.error()), "the GPU's certificates: " + verified.error().message);
}

Result<> check_usage(const crypto::Certificate& leaf) {
  if (!leaf.is_ca() && leaf.extension(key_usage_oid) && leaf.allows(crypto::KeyUsage::digital_signature)) return {};
  return fail(NvidiaError::bad_key_usage,
              "reports are expected to be signed by an end entity whose keyUsage lists digitalSignature, found " +
                  printable_name(leaf));
}

// The first form names the key that is burnt into the device, which issues the certificate of its firmware.
Result<> check_device_key(const FirmwareId& firmware, const Bytes& issued_by) {
  if (!firmware.device_key || *firmware.device_key == issued_by) return {};
  return fail(NvidiaError::wrong_device_key, "the certificate names the device key " +
                                                 codec::hex_encode(*firmware.device_key) + ", but was issued by " +
                                                 codec::hex_encode(issued_by));
}

// The certificate right below the root is its owner's word on what this line of certificates is for.
Result<Architecture> architecture_of(const std::vector<crypto::Certificate>& verified) {
  const auto& line = verified[verified.size() - 2];
  const auto found = architecture_of_name(line.subject_attribute(common_name_oid).value_or(""));
  if (found) return *found;
  return fail(NvidiaError::wrong_architecture,
              "the certificate below the root is expected to be of Hopper (GH) or "
              "Blackwell (GB) GPUs, found " +
                  printable_name(line));
}

bool same_name(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; };
  return std::ranges::equal(a, b, {}, lower, lower);
}

constexpr std::array architectures{Architecture::hopper, Architecture::blackwell, Architecture::ls10};

}  // namespace

std::string_view name_of(Architecture architecture) {
  switch (architecture) {
    case Architecture::hopper: return "Hopper";
    case Architecture::blackwell: return "Blackwell";
    case Architecture::ls10: return "LS10";
  }
  return "unknown";
}

Result<Architecture> parse_architecture(std::string_view name) {
  for (const auto each : architectures) {
    if (same_name(name, name_of(each))) return each;
  }
  return fail(EvidenceError::malformed, "an architecture of HOPPER, BLACKWELL or LS10 is expected, found \"" +
                                            std::string{name.substr(0, 64)} + "\"");
}

std::optional<Architecture> architecture_of_name(std::string_view common_name) {
  const auto begin = common_name.find(' ');
  if (begin == std::string_view::npos) return std::nullopt;
  const auto chip = common_name.substr(begin + 1);
  const auto names = [&](std::string_view line) {
    return chip.starts_with(line) && chip.size() > line.size() && chip[line.size()] >= '0' && chip[line.size()] <= '9';
  };
  if (names("GH")) return Architecture::hopper;
  if (names("GB")) return Architecture::blackwell;
  return std::nullopt;
}

Result<crypto::PublicKey> leaf_key(const std::vector<crypto::Certificate>& chain) {
  auto key = chain.front().public_key();
  if (!key) return fail(NvidiaError::bad_certificate, "the GPU's first certificate: " + key.error().message);
  if (key->kind() == crypto::KeyKind::ec_p384) return key;
  return fail(NvidiaError::bad_certificate, "the key of the GPU's first certificate is expected to be P-384, found " +
                                                std::string{crypto::name_of(key->kind())});
}

Result<TrustedDevice> verify_device(const std::vector<crypto::Certificate>& chain, const ChainCheck& check) {
  if (chain.size() < fewest_certificates) {
    return fail(NvidiaError::untrusted, "the GPU's chain is expected to have at least " +
                                            std::to_string(fewest_certificates) + " certificates, found " +
                                            std::to_string(chain.size()));
  }
  auto simulated_root = TRY(check_root(chain.back(), check.simulated_roots));
  const auto verified = TRY(verify(chain, check));
  if (verified.size() < fewest_certificates) {
    return fail(NvidiaError::untrusted, "the GPU's certificate is issued by the root itself, not by a device's line");
  }
  const auto& leaf = verified.front();
  TRY(check_usage(leaf));
  auto firmware = TRY(read_firmware_id(leaf));
  auto device_key = TRY(verified[1].public_key())
  .to_spki_der();
  TRY(check_device_key(firmware, device_key));
  const auto architecture = TRY(architecture_of(verified));
  TrustedDevice out {
    TRY(leaf_key(chain))
    , std::move(firmware), architecture, std::move(device_key), decimal_of(leaf.serial_number()),
        std::move(simulated_root), leaf.not_before(), leaf.not_after()
  };
  for (const auto& certificate : verified) {
    out.valid_from = std::max(out.valid_from, certificate.not_before());
    out.valid_until = std::min(out.valid_until, certificate.not_after());
  }
  return out;
}

std::string decimal_of(ByteView big_endian) {
  std::string digits;  // the lowest first
  for (const auto byte : big_endian) {
    unsigned carry = std::to_integer<unsigned>(byte);
    for (auto& digit : digits) {
      carry += static_cast<unsigned>(digit - '0') * 256;
      digit = static_cast<char>('0' + carry % 10);
      carry /= 10;
    }
    for (; carry != 0; carry /= 10) digits.push_back(static_cast<char>('0' + carry % 10));
  }
  if (digits.empty()) return "0";
  std::ranges::reverse(digits);
  return digits;
}

}  // namespace coffer::evidence::nvidia
