#include "apps/coffer/silent_terminal.h"

#include <termios.h>
#include <unistd.h>

#include <array>
#include <csignal>

namespace coffer::cli {
namespace {

constexpr std::array ending{SIGINT, SIGTERM, SIGHUP, SIGQUIT};

// For the handler, which gets nothing else.
termios before{};
std::array<struct sigaction, ending.size()> previous{};

// Both calls are safe in a handler (signal-safety(7)).
void show_and_end(int signal) {
  ::tcsetattr(STDIN_FILENO, TCSANOW, &before);
  ::raise(signal);  // SA_RESETHAND: by its default
}

}  // namespace

SilentTerminal::SilentTerminal() : is_terminal_(::tcgetattr(STDIN_FILENO, &before) == 0) {
  if (!is_terminal_) return;
  struct sigaction action{};
  action.sa_handler = show_and_end;
  action.sa_flags = static_cast<int>(SA_RESETHAND);
  for (std::size_t i = 0; i < ending.size(); ++i) {
    ::sigaction(ending[i], nullptr, &previous[i]);
    if (previous[i].sa_handler == SIG_DFL) ::sigaction(ending[i], &action, nullptr);
  }
  auto silent = before;
  silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
  ::tcsetattr(STDIN_FILENO, TCSANOW, &silent);
}

SilentTerminal::~SilentTerminal() {
  if (!is_terminal_) return;
  ::tcsetattr(STDIN_FILENO, TCSANOW, &before);
  for (std::size_t i = 0; i < ending.size(); ++i) ::sigaction(ending[i], &previous[i], nullptr);
}

}  // namespace coffer::cli
