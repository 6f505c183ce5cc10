// Intel's Provisioning Certification Service (version 4) and its certificate distribution over the simulator's keys.
#include <algorithm>
#include <mutex>
#include <optional>

#include "evidence/dcap/detail/simulated.h"
#include "evidence/dcap/simulate.h"

namespace coffer::evidence::dcap {

namespace {

using namespace std::chrono_literals;

constexpr auto validity = 24h * 30;  // as Intel's
constexpr auto made_anew = 24h;      // what is served is never older
constexpr auto long_ago = validity * 2;

// All that verifiers ask of a simulated platform.
std::vector<CollateralItem> known_items() {
  std::vector<CollateralItem> out;
  for (const auto tee : {Tee::sgx, Tee::tdx}) {
    for (const auto update : {TcbUpdate::early, TcbUpdate::standard}) {
      const CollateralQuestion question{tee, detail::fmspc, PckCa::platform, update};
      out.push_back(tcb_info_item(question));
      out.push_back(qe_identity_item(question));
    }
  }
  for (const auto ca : {PckCa::platform, PckCa::processor}) {
    out.push_back(pck_crl_item({Tee::sgx, detail::fmspc, ca}));
  }
  for (const bool caching_service : {false, true}) {
    out.push_back(root_crl_item({Tee::sgx, detail::fmspc, PckCa::platform, TcbUpdate::early, caching_service}));
  }
  return out;
}

Result<std::string> make_collateral(const SimulatedAuthority& authority, const VendorFaults& faults, TimePoint now) {
  const auto begin = std::max(now - 1h, authority.root.certificate.not_before());
  const auto fresh = simulated_texts(begin, now + validity);
  const auto ended = simulated_texts(now - long_ago, now - validity);
  auto request = faults.stale_crl ? simulated_collateral_request(now - long_ago, now - validity)
                                  : simulated_collateral_request(begin, now + validity);
  request.texts = faults.expired ? ended : fresh;
  if (faults.revoked) request.revoked_by_root.push_back(authority.pck_ca.certificate.serial_number());
  return make_collateral_json(authority, request);
}

class Pcs final : public SimulatedVendor {
 public:
  explicit Pcs(std::filesystem::path directory) : directory_(std::move(directory)) {}

  Result<VendorAnswer> answer(std::string_view service, std::string_view target, const VendorFaults& faults,
                              TimePoint now) override {
    const auto item =
        std::ranges::find_if(items_, [&](const auto& each) { return each.service == service && each.path == target; });
    if (item == items_.end()) {
      return fail(CollateralError::not_found,
                  "the simulated " + std::string{service} + " has no " + std::string{target.substr(0, 300)});
    }
    const auto source = TRY(source_for(faults, now));
    const auto blob = TRY(source->get(*item, now));
    const bool json = item->kind == "intel-tcb-info" || item->kind == "intel-qe-identity";
    return VendorAnswer{json ? "application/json" : "application/pkix-crl", *blob, item->chain_header};
  }

 private:
  struct Made {
    VendorFaults faults;
    TimePoint at;
    std::shared_ptr<Collateral> collateral;
  };

  // The last one made serves until its faults or the day change.
  Result<std::shared_ptr<Collateral>> source_for(const VendorFaults& faults, TimePoint now) {
    const std::scoped_lock lock{mutex_};
    if (made_ && made_->faults == faults && now - made_->at < made_anew && now >= made_->at) return made_->collateral;
    const auto authority = TRY(authority_for(faults, now));
    const auto text = TRY(make_collateral(authority, faults, now));
    auto collateral = TRY(collateral_from_json(text));
    made_ = Made{faults, now, std::move(collateral)};
    return made_->collateral;
  }

  Result<SimulatedAuthority> authority_for(const VendorFaults& faults, TimePoint now) const {
    if (!faults.wrong_chain) return open_simulated_authority(directory_);
    return make_simulated_authority(TRY(make_foreign_root(now)));
  }

  std::filesystem::path directory_;
  const std::vector<CollateralItem> items_ = known_items();
  std::mutex mutex_;
  std::optional<Made> made_;
};

}  // namespace

std::unique_ptr<SimulatedVendor> make_simulated_pcs(const std::filesystem::path& directory) {
  return std::make_unique<Pcs>(directory);
}

}  // namespace coffer::evidence::dcap
