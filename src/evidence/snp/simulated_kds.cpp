// AMD's Key Distribution Service (57230 chapter 4) over the platform that `simulated:snp` has: the one chip it knows.
#include <fcntl.h>
#include <sys/file.h>

#include <cerrno>
#include <map>
#include <mutex>

#include "base/file_descriptor.h"
#include "codec/base64.h"
#include "evidence/snp/endorsement.h"
#include "evidence/snp/simulate.h"
#include "evidence/snp/snp.h"
#include "evidence/snp/sources.h"

namespace coffer::evidence::snp {

namespace {

using namespace std::chrono_literals;

constexpr unsigned quick_rsa_bits = 2048;
constexpr auto list_validity = 24h * 30;

std::string file_name(Product product, std::string_view key) {
  auto out = "snp-" + std::string{name_of(product)} + "-" + std::string{key};
  for (auto& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return out;
}

// Held while a platform is read or made, so that a service and a guest that start together have the same one.
Result<FileDescriptor> lock_directory(const std::filesystem::path& directory) {
  FileDescriptor out{::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  int locked = out ? ::flock(out.get(), LOCK_EX) : -1;
  while (out && locked != 0 && errno == EINTR) locked = ::flock(out.get(), LOCK_EX);
  if (locked == 0) return out;
  return fail(EvidenceError::bad_config, "the simulator's directory " + directory.string() +
                                             " cannot be opened; `coffer simulate init` makes one");
}

Result<SimulatedPlatform> load_platform(const std::filesystem::path& directory, Product product) {
  auto ark = TRY(load_simulator_root(directory, file_name(product, "ark")));
  auto ask = TRY(load_simulator_root(directory, file_name(product, "ask")));
  auto vcek = TRY(load_simulator_root(directory, file_name(product, "vcek")));
  const auto fields = TRY(read_endorsement(vcek.certificate));
  SimulatedPlatform out{product,
                        SigningKey::vcek,
                        fields.tcb,
                        {},
                        std::move(ark.certificate),
                        std::move(ark.key),
                        std::move(ask.certificate),
                        std::move(ask.key),
                        std::move(vcek.certificate),
                        std::move(vcek.key)};
  const auto chip = fields.hardware_id.value_or(Bytes{});
  std::copy_n(chip.begin(), std::min(chip.size(), out.chip_id.size()), out.chip_id.begin());
  return out;
}

Result<> write_platform(const std::filesystem::path& directory, const SimulatedPlatform& platform) {
  const auto write = [&](std::string_view key, const crypto::Certificate& certificate,
                         const crypto::PrivateKey& private_key) {
    return write_simulator_root(directory, {certificate, private_key}, file_name(platform.product, key));
  };
  TRY(write("ark", platform.ark, platform.ark_key));
  TRY(write("ask", platform.signer, platform.signer_key));
  return write("vcek", platform.endorsement, platform.endorsement_key);
}

PlatformOptions options_under(const SimulatorRoot& root, Product product, TimePoint now) {
  return {.product = product,
          .not_before = std::max(now - 1h, root.certificate.not_before()),
          .not_after = root.certificate.not_after(),
          .rsa_bits = quick_rsa_bits};
}

struct KdsPaths {
  std::string vcek, chain, list;
};

// As the verifier asks.
KdsPaths paths_of(const SimulatedPlatform& platform) {
  Report report;
  report.chip_id = platform.chip_id;
  report.reported_tcb = platform.tcb;
  return {.vcek = vcek_item(report, platform.product).path,
          .chain = vcek_chain_item(platform.product).path,
          .list = crl_item(platform.product, SigningKey::vcek).path};
}

class Kds final : public SimulatedVendor {
 public:
  explicit Kds(std::filesystem::path directory) : directory_(std::move(directory)) {}

  Result<VendorAnswer> answer(std::string_view service, std::string_view target, const VendorFaults& faults,
                              TimePoint now) override {
    const auto product = line_of(target);
    if (service != "amd-kds" || !product) return absent(target);
    const std::scoped_lock lock{mutex_};
    const auto paths = paths_of(*TRY(platform(*product, false, now)));
    const auto& platform = *TRY(this->platform(*product, faults.wrong_chain, now));
    if (target == paths.vcek) return certificate(platform, faults);
    if (target == paths.chain) {
      return VendorAnswer{"application/x-pem-file", {to_bytes(platform.signer.to_pem() + platform.ark.to_pem()), {}}};
    }
    if (target == paths.list) return revocation_list(platform, faults, now);
    return absent(target);
  }

 private:
  static std::unexpected<Error> absent(std::string_view target) {
    return fail(CollateralError::not_found, "the simulated KDS has no " + std::string{target.substr(0, 300)});
  }

  // "/vcek/v1/Milan/...".
  static std::optional<Product> line_of(std::string_view target) {
    for (const auto product : all_products()) {
      if (target.starts_with("/vcek/v1/" + std::string{name_of(product)} + "/")) return product;
    }
    return std::nullopt;
  }

  Result<const SimulatedPlatform*> platform(Product product, bool foreign, TimePoint now) {
    const auto known = platforms_.find({product, foreign});
    if (known != platforms_.end()) return &known->second;
    auto made = foreign ? make_foreign(product, now) : open_simulated_platform(directory_, product);
    return &platforms_.emplace(std::pair{product, foreign}, TRY(std::move(made))).first->second;
  }

  static Result<SimulatedPlatform> make_foreign(Product product, TimePoint now) {
    const auto root = TRY(make_foreign_root(now));
    return SimulatedPlatform::create(root, options_under(root, product, now));
  }

  static Result<VendorAnswer> certificate(const SimulatedPlatform& platform, const VendorFaults& faults) {
    VendorAnswer out{"application/x-x509-user-cert", {platform.endorsement.der(), {}}};
    if (!faults.expired) return out;
    const auto begin = platform.endorsement.not_before();
    const auto ended = TRY(platform.with_endorsement({.product = platform.product,
                                                      .tcb = platform.tcb,
                                                      .chip_id = platform.chip_id,
                                                      .not_before = begin,
                                                      .not_after = begin + 1s}));
    out.blob.body = ended.endorsement.der();
    return out;
  }

  static Result<VendorAnswer> revocation_list(const SimulatedPlatform& platform, const VendorFaults& faults,
                                              TimePoint now) {
    const auto begin = std::max(now - (faults.stale_crl ? 2 * list_validity : Duration{1h}), TimePoint{});
    const auto end = faults.stale_crl ? begin + list_validity : now + list_validity;
    const std::span<const crypto::Certificate> revoked{&platform.signer, faults.revoked ? 1U : 0U};
    auto list = TRY(platform.revocation_list(true, revoked, begin, end));
    return VendorAnswer{"application/pkix-crl", {std::move(list.data), {}}};
  }

  std::filesystem::path directory_;
  std::mutex mutex_;
  std::map<std::pair<Product, bool>, SimulatedPlatform> platforms_;
};

}  // namespace

Result<SimulatedPlatform> open_simulated_platform(const std::filesystem::path& directory, Product product) {
  const auto lock = TRY(lock_directory(directory));
  const auto root = TRY(load_simulator_root(directory));
  std::error_code ignored;
  if (std::filesystem::exists(directory / (file_name(product, "vcek") + ".pem"), ignored)) {
    return load_platform(directory, product);
  }
  auto made = TRY(SimulatedPlatform::create(root, options_under(root, product, system_clock().now())));
  TRY(write_platform(directory, made));
  return made;
}

std::unique_ptr<SimulatedVendor> make_simulated_kds(const std::filesystem::path& directory) {
  return std::make_unique<Kds>(directory);
}

}  // namespace coffer::evidence::snp
