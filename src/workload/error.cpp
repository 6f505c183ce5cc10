#include "workload/error.h"

namespace coffer::workload {

std::string_view code_name(WorkloadError code) {
  switch (code) {
    case WorkloadError::usage: return "guest.usage";
    case WorkloadError::no_tee: return "guest.no_tee";
    case WorkloadError::not_encrypted: return "guest.not_encrypted";
    case WorkloadError::runtime_missing: return "guest.runtime_missing";
    case WorkloadError::timeout: return "guest.timeout";
    case WorkloadError::cancelled: return "guest.cancelled";
    case WorkloadError::service_ended: return "guest.service_ended";
    case WorkloadError::work_dir: return "guest.work_dir";
    case WorkloadError::cache_key: return "guest.cache_key";
  }
  return "guest.unknown";
}

}  // namespace coffer::workload
