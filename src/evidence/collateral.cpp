#include "evidence/collateral.h"

#include <array>

namespace coffer::evidence {

namespace {
constexpr std::array services{
    CollateralService{"amd-kds", "https://kdsintf.amd.com"},
    CollateralService{"intel-pcs", "https://api.trustedservices.intel.com"},
    // The root's revocation list is not among the PCS's own paths.
    CollateralService{"intel-certificates", "https://certificates.trustedservices.intel.com"}};
}  // namespace

std::string_view code_name(CollateralError code) {
  switch (code) {
    case CollateralError::unreachable: return "collateral.unreachable";
    case CollateralError::rate_limited: return "collateral.rate_limited";
    case CollateralError::not_found: return "collateral.not_found";
    case CollateralError::offline: return "collateral.offline";
    case CollateralError::malformed: return "collateral.malformed";
    case CollateralError::expired: return "collateral.expired";
    case CollateralError::bad_bundle: return "collateral.bad_bundle";
  }
  return "collateral.unknown";
}

std::span<const CollateralService> collateral_services() {
  return services;
}

}  // namespace coffer::evidence
