#include "vm/error.h"

namespace coffer::vm {

std::string_view code_name(VmError code) {
  switch (code) {
    case VmError::usage: return "vm.usage";
    case VmError::file: return "vm.file";
    case VmError::no_tool: return "vm.no_tool";
    case VmError::tool_failed: return "vm.tool_failed";
    case VmError::no_kernel: return "vm.no_kernel";
    case VmError::bad_program: return "vm.bad_program";
    case VmError::bad_image: return "vm.bad_image";
    case VmError::bad_path: return "vm.bad_path";
    case VmError::bad_tpm: return "vm.bad_tpm";
    case VmError::timed_out: return "vm.timed_out";
    case VmError::stopped: return "vm.stopped";
    case VmError::no_exit_code: return "vm.no_exit_code";
  }
  return "vm.unknown";
}

}  // namespace coffer::vm
