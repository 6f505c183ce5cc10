#include "evidence/snp/snp_testing.h"

#include <algorithm>

namespace coffer::evidence::snp {

Evidence resigned(Evidence evidence, const std::function<void(Report&)>& change, const SimulatedPlatform& on) {
  auto& report = evidence.report;
  change(report);
  const auto raw = report.encode();
  const auto signature =
      on.endorsement_key.sign(crypto::SignatureAlgorithm::es384, ByteView{raw}.first(signed_size)).value();
  report.signature = {};
  const auto half = static_cast<std::ptrdiff_t>(signature.size() / 2);
  std::reverse_copy(signature.begin(), signature.begin() + half, report.signature.r.begin());
  std::reverse_copy(signature.begin() + half, signature.end(), report.signature.s.begin());
  return evidence;
}

Result<std::shared_ptr<const CollateralBlob>> FakeCollateral::get(const CollateralItem& item, TimePoint) {
  asked.push_back(item);
  const auto found = items.find(item.kind + "/" + item.key);
  if (found == items.end()) return fail(CollateralError::not_found, "nothing");
  auto blob = std::make_shared<const CollateralBlob>(CollateralBlob{found->second, {}});
  TRY(item.inspect(*blob));
  return blob;
}

}  // namespace coffer::evidence::snp
