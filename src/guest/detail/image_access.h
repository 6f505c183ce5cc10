// The image as this runner sees it: where it is, what it says of itself, and its module.
#pragma once

#include <memory>

#include "guest/detail/key_access.h"
#include "guest/detail/layer_cache.h"
#include "image/pull.h"

namespace coffer::guest::detail {

// Opens the reference with the user's registry credentials; layers go through the layer store where there is one.
Result<std::unique_ptr<CachedSource>> open_image(const RunnerOptions& options);

// The module, decrypted where it is encrypted. `access`: none for a plain image.
Result<image::PulledModule> pull(CachedSource& source, const image::ImageSummary& summary, const Settings& settings,
                                 const KeyAccess* access);

}  // namespace coffer::guest::detail
