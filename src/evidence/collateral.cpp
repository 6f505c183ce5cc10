#include "evidence/collateral.h"

#include <array>

#include "evidence/tee.h"

namespace coffer::evidence {

namespace {
constexpr std::array services{CollateralService{"amd-kds", "https://kdsintf.amd.com"},
                              CollateralService{"intel-pcs", "https://api.trustedservices.intel.com"},
                              // The root's revocation list is not among the PCS's own paths.
                              CollateralService{"intel-certificates", "https://certificates.trustedservices.intel.com"},
                              // Its lists are signed, and the address is the one in NVIDIA's certificates.
                              CollateralService{"nvidia-crl", "http://crl.ndis.nvidia.com"}};
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

Error cannot_be_had(const CollateralItem& item, const Error& cause) {
  const std::string code{cause.code.name()};
  const bool asked = code.starts_with("collateral.") && cause.code != CollateralError::offline;
  const auto name = item.kind + " " + item.key;
  const bool named = cause.message.starts_with(name);
  return Error{asked ? cause.code : ErrorCode{EvidenceError::collateral_missing},
               "an endorsement cannot be had (" + code + "): " + (named ? "" : name + ": ") + cause.message}
      .with("collateral_error", code)
      .with("collateral_item", item.kind + "/" + item.key);
}

std::span<const CollateralService> collateral_services() {
  return services;
}

}  // namespace coffer::evidence
