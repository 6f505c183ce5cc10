// Separates what the guest's program writes from what firmware wrote to the same port before, and from the lines by
// which the guest's process 1 tells the program's start and exit status.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace coffer::vm {

class OutputFilter {
 public:
  // What of the program's output is known to be no part of such a line; the rest is held back.
  std::string add(std::string_view text);
  // Everything held back that was no status line after all, at the end.
  std::string finish();
  // The last status line's value. A program can write such a line too: it speaks for itself only.
  std::optional<int> exit_status() const { return exit_status_; }

 private:
  std::string held_;
  bool started_ = false;
  std::optional<int> exit_status_;
};

}  // namespace coffer::vm
