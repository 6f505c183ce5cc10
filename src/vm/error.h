// Why a virtual machine cannot be built or run.
#pragma once

#include <string_view>

namespace coffer::vm {

enum class VmError {
  usage,         // options that do not fit together
  file,          // a file that cannot be read or written
  no_tool,       // a program that must be installed is not: the text says which package has it
  tool_failed,   // one that ran and failed
  no_kernel,     // no kernel package, neither in the cache nor to be downloaded
  bad_program,   // a guest program that is no dynamic executable of this machine
  bad_image,     // a directory that is no machine image, or whose files are not those that it names
  bad_path,      // a path that cannot stand in an initramfs
  bad_tpm,       // a TPM's state directory that is absent, incomplete or in use
  timed_out,     // the guest did not end in time
  stopped,       // it was told to end, did not, and was switched off
  no_exit_code,  // the guest ended without telling its program's exit status
};
std::string_view code_name(VmError code);

}  // namespace coffer::vm
