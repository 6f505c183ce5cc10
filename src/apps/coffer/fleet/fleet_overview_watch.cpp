// `coffer fleet watch` without ids: on a terminal a page that is drawn again and again, elsewhere a line for each
// change.
#include <sys/ioctl.h>
#include <unistd.h>

#include <csignal>
#include <iostream>
#include <thread>

#include "apps/coffer/fleet/fleet_commands.h"
#include "apps/coffer/fleet/fleet_overview.h"
#include "apps/coffer/fleet/fleet_view.h"
#include "apps/coffer/output.h"
#include "base/printable.h"

namespace coffer::cli {
namespace {

// Columns are what a terminal shows, not bytes: a character of several bytes is one.
std::string cut(const std::string& line, std::size_t width) {
  std::size_t columns = 0;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const bool begins = (static_cast<unsigned char>(line[i]) & 0xc0U) != 0x80U;
    if (begins && ++columns > width) return line.substr(0, i);
  }
  return line;
}

// The terminal's other screen, so that what stood there comes back at the end.
class Screen {
 public:
  static constexpr std::string_view leave = "\x1b[?25h\x1b[?1049l";
  Screen() { std::cout << "\x1b[?1049h\x1b[?25l" << std::flush; }
  ~Screen() { std::cout << leave << std::flush; }
  Screen(const Screen&) = delete;
  Screen& operator=(const Screen&) = delete;

  static winsize size() {
    winsize found{};
    const bool known = ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &found) == 0 && found.ws_col > 0 && found.ws_row > 0;
    return known ? found : winsize{.ws_row = 24, .ws_col = 80, .ws_xpixel = 0, .ws_ypixel = 0};
  }
  // Over what was there, so that nothing flickers.
  static void draw(const std::vector<std::string>& page, const winsize& window) {
    std::string out = "\x1b[H";
    for (std::size_t i = 0; i < page.size() && i < window.ws_row; ++i) {
      out += (i == 0 ? "" : "\r\n") + cut(page[i], window.ws_col) + "\x1b[K";
    }
    std::cout << out << "\x1b[J" << std::flush;
  }
};

// Ctrl-C ends the program at once, also while a manager is slow to answer: what was shown is complete at any time.
volatile std::sig_atomic_t page_is_shown = 0;

extern "C" void end_at_once(int) {
  const std::string_view restore = Screen::leave;
  if (page_is_shown != 0) static_cast<void>(!::write(STDOUT_FILENO, restore.data(), restore.size()));
  ::_exit(0);
}

void end_by_signals() {
  struct sigaction action{};
  action.sa_handler = end_at_once;
  for (const int signal : {SIGINT, SIGTERM}) ::sigaction(signal, &action, nullptr);
}

class Overview {
 public:
  Overview(const FleetContext& context, FleetClient manager) : context_(context), manager_(std::move(manager)) {}

  // The first look has to succeed; later a manager that does not answer is waited for.
  Result<> first() {
    now_ = TRY(look(manager_));
    rate_.add(now_->overview);
    return {};
  }
  void again() {
    auto next = look(manager_);
    trouble_ = next ? "" : next.error().message;
    if (!next) return;
    now_ = *std::move(next);
    rate_.add(now_->overview);
  }

  void draw() const {
    const auto window = Screen::size();
    auto title = "coffer fleet watch  " + context_.manager_url + "  " + shown(now_->overview, "at").substr(0, 19);
    if (!trouble_.empty()) title = "coffer fleet watch  NO ANSWER: " + printable(trouble_);
    Screen::draw(overview_page(title, *now_, rate_.text(), window.ws_row), window);
  }
  void print_once() const {
    if (context_.global.json) return print_json(overview_json(*now_));
    for (const auto& line : overview_page("manager  " + context_.manager_url, *now_, rate_.text(), 10'000))
      std::cout << line << "\n";
    std::cout.flush();
  }
  void print_changes() {
    auto present = overview_facts(*now_);
    const bool changed = present != said_;
    if (context_.global.json && changed) std::cout << codec::json::serialize(overview_json(*now_)) << std::endl;
    for (const auto& [key, line] : present) {
      const auto old = said_.find(key);
      if (!context_.global.json && (old == said_.end() || old->second != line)) std::cout << line << std::endl;
    }
    said_ = std::move(present);
    if (!trouble_.empty() && trouble_ != said_trouble_) std::cerr << "coffer: " << printable(trouble_) << std::endl;
    said_trouble_ = trouble_;
  }

 private:
  const FleetContext& context_;
  FleetClient manager_;
  std::optional<Seen> now_;
  CompletionRate rate_;
  std::string trouble_, said_trouble_;
  std::map<std::string, std::string> said_;
};

}  // namespace

Result<int> watch_fleet(const FleetContext& context, const WatchOptions& options) {
  Overview overview {
    context, TRY(FleetClient::create(context))
  };
  end_by_signals();
  TRY(overview.first());
  if (options.once) {
    overview.print_once();
    return 0;
  }
  const bool page = ::isatty(STDOUT_FILENO) == 1 && !context.global.json;
  page_is_shown = page ? 1 : 0;
  std::optional<Screen> screen;
  if (page) screen.emplace();
  const auto interval = std::chrono::milliseconds{static_cast<std::int64_t>(options.interval * 1000)};
  const auto end = std::chrono::steady_clock::now() + std::chrono::duration<double>{options.timeout};
  while (true) {
    if (page) overview.draw();
    if (!page) overview.print_changes();
    std::this_thread::sleep_for(interval);
    if (options.timeout > 0 && std::chrono::steady_clock::now() >= end) return 0;
    overview.again();
  }
}

}  // namespace coffer::cli
