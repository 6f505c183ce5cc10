#include "base/version.h"

namespace coffer {

std::string_view version() {
  return COFFER_VERSION;
}

}  // namespace coffer
