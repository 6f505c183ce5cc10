// The file that offline sites carry collateral in:
// {"format":"coffer-collateral","version":1,"items":[{"kind","key","retrieved_at","from"?,"until"?,"body","sha256",...}],
//  "sha256":"<over the canonical text of items>"}
#pragma once

#include "evidence/collateral/record.h"

namespace coffer::evidence {

Result<std::string> write_bundle(std::span<const CollateralRecord> records);
// At most 64 MiB. CollateralError::bad_bundle.
Result<std::vector<CollateralRecord>> read_bundle(std::string_view text);

}  // namespace coffer::evidence
