#pragma once

#include "image/detail/registry_session.h"

namespace coffer::image {

// The blob's bytes into `sink`, in order and each once, over as many connections as it takes. incomplete where it
// breaks off too often. Whoever reads checks the digest.
Result<> download_blob(RegistrySession& session, const Descriptor& blob, ByteSink& sink);

}  // namespace coffer::image
