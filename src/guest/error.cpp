#include "guest/error.h"

namespace coffer::guest {

std::string_view code_name(GuestError code) {
  switch (code) {
    case GuestError::usage: return "guest.usage";
    case GuestError::no_tee: return "guest.no_tee";
    case GuestError::not_encrypted: return "guest.not_encrypted";
    case GuestError::runtime_missing: return "guest.runtime_missing";
    case GuestError::timeout: return "guest.timeout";
    case GuestError::work_dir: return "guest.work_dir";
    case GuestError::cache_key: return "guest.cache_key";
  }
  return "guest.unknown";
}

}  // namespace coffer::guest
