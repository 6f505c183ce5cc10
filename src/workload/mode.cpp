#include "workload/mode.h"

namespace coffer::workload {

std::string_view name_of(Mode mode) {
  switch (mode) {
    case Mode::automatic: return "auto";
    case Mode::background_check: return "background-check";
    case Mode::passport: return "passport";
    case Mode::offline: return "offline";
  }
  return "unknown";
}

Result<Mode> parse_mode(std::string_view name) {
  for (const auto mode : {Mode::automatic, Mode::background_check, Mode::passport, Mode::offline}) {
    if (name == name_of(mode)) return mode;
  }
  if (name == "background_check") return Mode::background_check;
  if (name == "rcar") return Mode::passport;  // seed 000's word for it
  return fail(WorkloadError::usage,
              "mode \"" + std::string{name} + "\" is unknown; expected auto, background-check, passport or offline");
}

}  // namespace coffer::workload
