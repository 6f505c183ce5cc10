// Why a measurement cannot be predicted.
#pragma once

#include <string_view>

namespace coffer::evidence::measure {

enum class MeasureError {
  bad_pe,            // no PE/COFF image, or one whose headers contradict its size
  bad_kernel,        // no Linux kernel that a machine's firmware can start directly
  bad_command_line,  // text that cannot be handed to a kernel
  bad_firmware,      // no OVMF image, or one whose tables contradict its size
  bad_machine,       // a number of processors, a processor type or a memory size that does not exist
  bad_eif,           // no Nitro enclave image, or one that is damaged
};
std::string_view code_name(MeasureError code);

}  // namespace coffer::evidence::measure
