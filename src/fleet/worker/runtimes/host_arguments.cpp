#include "fleet/worker/runtimes/host_arguments.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

namespace coffer::fleet::worker {
namespace {

struct Option {
  std::string_view name, long_name;
  std::string_view values;  // each between spaces
};
// Nothing that names a path, an address or the host's environment.
constexpr std::array options{
    Option{"-S", "--wasi", " nn nn=y threads threads=y "},
    Option{"-W", "--wasm",
           " simd simd=y bulk-memory bulk-memory=y reference-types reference-types=y multi-memory multi-memory=y "
           "threads threads=y shared-memory shared-memory=y tail-call tail-call=y component-model component-model=y "
           "exceptions exceptions=y gc gc=y memory64 memory64=y relaxed-simd relaxed-simd=y "},
    Option{"-O", "--optimize", " opt-level=0 opt-level=1 opt-level=2 opt-level=s "}};

bool allows(const Option& option, std::string_view value) {
  if (value.empty() || value.find(' ') != std::string_view::npos) return false;
  return option.values.find(" " + std::string{value} + " ") != std::string_view::npos;
}

struct Argument {
  const Option* option;
  std::string_view value;
  std::size_t words;  // how many of the list it takes
};

// "-S nn", "-Snn", "--wasi nn", "--wasi=nn".
std::optional<Argument> read_argument(const std::vector<std::string>& arguments, std::size_t at) {
  const std::string_view word = arguments[at];
  for (const auto& option : options) {
    if (word == option.name || word == option.long_name) {
      if (at + 1 == arguments.size()) return std::nullopt;
      return Argument{&option, arguments[at + 1], 2};
    }
    if (word.starts_with(std::string{option.long_name} + "=")) {
      return Argument{&option, word.substr(option.long_name.size() + 1), 1};
    }
    if (word.starts_with(option.name)) return Argument{&option, word.substr(option.name.size()), 1};
  }
  return std::nullopt;
}

}  // namespace

Result<std::vector<std::string>> check_host_arguments(const std::vector<std::string>& arguments) {
  for (std::size_t at = 0; at < arguments.size();) {
    const auto argument = read_argument(arguments, at);
    if (!argument || !allows(*argument->option, argument->value)) {
      return fail(WorkerError::argument_refused,
                  "the argument " + arguments[at] +
                      " would reach the external runtime and is not one that a task may give (-S nn, -W FEATURE, "
                      "-O opt-level=N); folders come from PROPLET_DIRS");
    }
    at += argument->words;
  }
  return arguments;
}

}  // namespace coffer::fleet::worker
