#include "evidence/nitro/error.h"

namespace coffer::evidence::nitro {

std::string_view code_name(NitroError code) {
  switch (code) {
    case NitroError::not_a_document: return "nitro.not_a_document";
    case NitroError::bad_header: return "nitro.bad_header";
    case NitroError::bad_payload: return "nitro.bad_payload";
    case NitroError::bad_pcrs: return "nitro.bad_pcrs";
    case NitroError::bad_certificate: return "nitro.bad_certificate";
    case NitroError::unknown_root: return "nitro.unknown_root";
    case NitroError::untrusted: return "nitro.untrusted";
    case NitroError::certificate_expired: return "nitro.certificate_expired";
    case NitroError::bad_key_usage: return "nitro.bad_key_usage";
    case NitroError::bad_signature: return "nitro.bad_signature";
    case NitroError::stale: return "nitro.stale";
    case NitroError::from_the_future: return "nitro.from_the_future";
    case NitroError::debug_mode: return "nitro.debug_mode";
  }
  return "nitro.unknown";
}

}  // namespace coffer::evidence::nitro
