#include "evidence/nvidia/error.h"

namespace coffer::evidence::nvidia {

std::string_view code_name(NvidiaError code) {
  switch (code) {
    case NvidiaError::bad_report: return "nvidia.bad_report";
    case NvidiaError::bad_opaque_data: return "nvidia.bad_opaque_data";
    case NvidiaError::bad_certificate: return "nvidia.bad_certificate";
    case NvidiaError::bad_firmware_id: return "nvidia.bad_firmware_id";
    case NvidiaError::unknown_root: return "nvidia.unknown_root";
    case NvidiaError::untrusted: return "nvidia.untrusted";
    case NvidiaError::certificate_expired: return "nvidia.certificate_expired";
    case NvidiaError::revoked: return "nvidia.revoked";
    case NvidiaError::bad_key_usage: return "nvidia.bad_key_usage";
    case NvidiaError::bad_signature: return "nvidia.bad_signature";
    case NvidiaError::wrong_device_key: return "nvidia.wrong_device_key";
    case NvidiaError::wrong_firmware: return "nvidia.wrong_firmware";
    case NvidiaError::wrong_architecture: return "nvidia.wrong_architecture";
    case NvidiaError::unsupported_device: return "nvidia.unsupported_device";
    case NvidiaError::repeated_device: return "nvidia.repeated_device";
  }
  return "nvidia.unknown";
}

}  // namespace coffer::evidence::nvidia
