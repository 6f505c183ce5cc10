// A terminal that does not show what is typed, until the end of this object or of the program.
#pragma once

namespace coffer::cli {

// One at a time. An interrupt ends the program as it always does, with the terminal as it was before.
class SilentTerminal {
 public:
  SilentTerminal();
  SilentTerminal(const SilentTerminal&) = delete;
  SilentTerminal& operator=(const SilentTerminal&) = delete;
  ~SilentTerminal();

  // Standard input is no terminal: nothing was changed.
  explicit operator bool() const { return is_terminal_; }

 private:
  bool is_terminal_;
};

}  // namespace coffer::cli
