// Exit codes of programs that run a guest: the guest's own, except these, which are ours (design.md 6.6).
#pragma once

#include <string_view>

#include "base/error.h"

namespace coffer::guest {

enum class ExitCode {
  success = 0,
  usage = 120,        // bad command line or configuration
  refused = 121,      // our own rules say no: not encrypted, no TEE, evidence or platform not usable here
  denied = 122,       // the broker says no: evidence, policy, credentials
  unreachable = 123,  // a broker or registry does not answer, or is not one
  limit = 124,        // wall time, fuel or memory used up
  bad_image = 125,    // the image, a layer or its encryption is broken, or it holds no module
  bad_key = 126,      // the key is missing, empty, of the wrong size, or not this image's
  trap = 127,         // the module does not load, lacks the export, or trapped
};

// Which one an error stands for, by its code.
ExitCode exit_code_of(const Error& error);
// The table for --help.
std::string_view exit_code_help();

}  // namespace coffer::guest
