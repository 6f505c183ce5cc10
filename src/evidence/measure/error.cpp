#include "evidence/measure/error.h"

namespace coffer::evidence::measure {

std::string_view code_name(MeasureError code) {
  switch (code) {
    case MeasureError::bad_pe: return "measure.bad_pe";
    case MeasureError::bad_kernel: return "measure.bad_kernel";
    case MeasureError::bad_command_line: return "measure.bad_command_line";
    case MeasureError::bad_firmware: return "measure.bad_firmware";
    case MeasureError::bad_machine: return "measure.bad_machine";
    case MeasureError::bad_eif: return "measure.bad_eif";
  }
  return "measure.unknown";
}

}  // namespace coffer::evidence::measure
