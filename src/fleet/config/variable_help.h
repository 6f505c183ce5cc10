// One line of --help for a variable, which is a flag as well unless it is secret.
#pragma once

#include <string_view>

namespace coffer::fleet {

struct VariableHelp {
  std::string_view name;  // without prefix
  std::string_view help;  // with the default in parentheses
  bool secret = false;    // has no flag: flags show in the process list
};

}  // namespace coffer::fleet
