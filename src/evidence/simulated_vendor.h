// A vendor's service as the simulator plays it: answers to paths, with faults of content. Faults of transport (status
// 429, a slow line) are the same for all vendors and not its matter.
#pragma once

#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/result.h"
#include "evidence/collateral.h"

namespace coffer::evidence {

struct VendorFaults {
  bool expired = false;      // certificates and signed statements have ended
  bool stale_crl = false;    // revocation lists have
  bool revoked = false;      // a signing key of the vendor's is on a list
  bool wrong_chain = false;  // all of it comes from another root
  friend bool operator==(const VendorFaults&, const VendorFaults&) = default;
};

struct VendorAnswer {
  std::string content_type;
  CollateralBlob blob;
  std::string chain_header{};  // the header that blob.issuer_chain goes into; empty: none
};

class SimulatedVendor {
 public:
  virtual ~SimulatedVendor() = default;
  // `service`: one of collateral_services(); `target`: path and query as CollateralItem::path has them.
  // CollateralError::not_found for what the service has not. Safe from any thread.
  virtual Result<VendorAnswer> answer(std::string_view service, std::string_view target, const VendorFaults& faults,
                                      TimePoint now) = 0;
};

}  // namespace coffer::evidence
