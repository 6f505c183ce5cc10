#include "base/error.h"

#include "base/printable.h"

namespace coffer {

std::string to_string(const Error& error) {
  std::string text{error.code.name()};
  text += ": ";
  text += error.message;
  const char* separator = " (";
  for (const auto& [key, value] : error.context) {
    text += separator;
    text += key + "=" + value;
    separator = ", ";
  }
  if (!error.context.empty()) text += ")";
  return printable(text);  // the last place before a terminal
}

}  // namespace coffer
