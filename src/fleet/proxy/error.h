#pragma once

#include "base/result.h"

namespace coffer::fleet::proxy {

// These travel in the error chunk that takes the place of an image.
enum class ProxyError {
  busy,              // as many images wait as may
  registry_refused,  // not one of the registries that this proxy fetches from
  too_large,         // a layer or its manifest over what may be sent
  stopping,
};
std::string_view code_name(ProxyError code);

}  // namespace coffer::fleet::proxy
