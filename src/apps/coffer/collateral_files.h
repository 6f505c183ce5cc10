// Collateral from files, for verification without a network and without a store.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "evidence/collateral.h"

namespace coffer::cli {

// Each a bundle of `coffer collateral export`, Intel's collateral of one platform in one JSON file (as PCS tools write
// it), or a directory with such files. bad_bundle for a file that is neither.
Result<std::shared_ptr<evidence::Collateral>> open_collateral_files(const std::vector<std::string>& paths);

}  // namespace coffer::cli
