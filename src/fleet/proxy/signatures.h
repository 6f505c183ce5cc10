// The signatures that stand beside an image in its registry, for workers that demand some.
#pragma once

#include <vector>

#include "fleet/registry_messages.h"
#include "image/store.h"

namespace coffer::fleet::proxy {

// cosign's, under its tag. Nothing is checked here: who trusts which key is the worker's to know. None where there are
// none or where they cannot be had, which to a worker that demands one is the same.
std::vector<ImageSignature> signatures_beside(image::ImageSource& source, const image::Digest& manifest);

}  // namespace coffer::fleet::proxy
