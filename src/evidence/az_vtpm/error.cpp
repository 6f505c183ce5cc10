#include "evidence/az_vtpm/error.h"

namespace coffer::evidence::az_vtpm {

std::string_view code_name(AzVtpmError code) {
  switch (code) {
    case AzVtpmError::bad_hcl_report: return "az_vtpm.bad_hcl_report";
    case AzVtpmError::wrong_hardware: return "az_vtpm.wrong_hardware";
    case AzVtpmError::bad_runtime_data: return "az_vtpm.bad_runtime_data";
    case AzVtpmError::runtime_data_mismatch: return "az_vtpm.runtime_data_mismatch";
    case AzVtpmError::user_data_mismatch: return "az_vtpm.user_data_mismatch";
    case AzVtpmError::bad_vcek: return "az_vtpm.bad_vcek";
  }
  return "az_vtpm.unknown";
}

}  // namespace coffer::evidence::az_vtpm
