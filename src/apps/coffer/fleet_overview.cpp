// `coffer fleet watch` without ids: the whole fleet. On a terminal a page that is drawn again and again, elsewhere a
// line for each change.
#include <sys/ioctl.h>
#include <unistd.h>

#include <csignal>
#include <deque>
#include <iostream>
#include <map>
#include <thread>

#include "apps/coffer/fleet_commands.h"
#include "apps/coffer/fleet_view.h"
#include "apps/coffer/output.h"
#include "base/printable.h"

namespace coffer::cli {
namespace {

using codec::json::Array;
using codec::json::Object;
using codec::json::Value;

constexpr std::size_t most_workers = 1000;  // looked at each time; the counts hold for all
constexpr std::size_t page_size = 100;

// One look.
struct Seen {
  Value overview;
  Array workers{};
};

std::uint64_t number(const Value& document, std::string_view pointer) {
  const Value* found = document.at_pointer(pointer);
  return found == nullptr ? 0 : found->if_uint64().value_or(0);
}

std::string count(const Value& document, std::string_view pointer) {
  return std::to_string(number(document, pointer));
}

const Array& list(const Value& document, std::string_view key) {
  static const Array none;
  const Value* found = document.find(key);
  const auto* array = found == nullptr ? nullptr : found->if_array();
  return array == nullptr ? none : *array;
}

Result<Seen> look(FleetClient& manager) {
  Seen seen {
    .overview = TRY(manager.get("/overview"))
  };
  while (seen.workers.size() < most_workers) {
    const auto page = TRY(
        manager.get("/proplets?limit=" + std::to_string(page_size) + "&offset=" + std::to_string(seen.workers.size())));
    const auto& found = list(page, "proplets");
    seen.workers.insert(seen.workers.end(), found.begin(), found.end());
    if (found.size() < page_size) break;
  }
  return seen;
}

bool is_alive(const Value& worker) {
  return shown(worker, "alive") == "true";
}

// "3/8", or "3" where the worker does not say how many it takes.
std::string load_of(const Value& worker) {
  const Value* most = worker.at_pointer("/coffer/says/max_tasks");
  return shown(worker, "task_count") + (most == nullptr ? "" : "/" + std::to_string(most->if_uint64().value_or(0)));
}

// How many tasks end a second, over the last looks.
class Rate {
 public:
  void add(const Value& overview) {
    const auto at = parse_rfc3339(shown(overview, "at"));
    const auto completed = number(overview, "/tasks/completed");
    if (!samples_.empty() && completed < samples_.back().completed) samples_.clear();  // the manager was started anew
    if (at) samples_.push_back({*at, completed});
    while (samples_.size() > 2 && samples_.back().at - samples_[1].at >= window) samples_.pop_front();
  }
  // "52.1/s"; nothing where it is not known yet.
  std::string text() const {
    if (samples_.size() < 2 || samples_.back().at <= samples_.front().at) return {};
    const double seconds = std::chrono::duration<double>(samples_.back().at - samples_.front().at).count();
    const auto ended = static_cast<double>(samples_.back().completed - samples_.front().completed);
    const auto tenths = static_cast<std::uint64_t>(ended * 10 / seconds + 0.5);
    return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + "/s";
  }

 private:
  struct Sample {
    TimePoint at;
    std::uint64_t completed;
  };
  static constexpr auto window = std::chrono::seconds{5};
  std::deque<Sample> samples_;
};

std::string failure_line(const Value& failure) {
  const auto code = shown(failure, "code").empty() ? std::string{"failed"} : shown(failure, "code");
  const auto at = shown(failure, "at");  // RFC 3339: the time of day stands at its place
  return (at.size() < 19 ? at : at.substr(11, 8)) + "  " + shown(failure, "name") + "  " + code + "  " +
         shown(failure, "error");
}

std::vector<std::string> summary(const Seen& now, const std::string& speed) {
  const auto& all = now.overview;
  return {"workers  " + count(all, "/workers/alive") + " alive, " + count(all, "/workers/verified") + " proven, " +
              count(all, "/workers/silent") + " silent",
          "tasks    " + count(all, "/tasks/running") + " running, " + count(all, "/tasks/queued") + " queued (" +
              count(all, "/tasks/queued_encrypted") + " encrypted)",
          "ended    " + count(all, "/tasks/completed") + " completed" + (speed.empty() ? "" : " (" + speed + ")") +
              ", " + count(all, "/tasks/failed") + " failed"};
}

// --- a page

// "snp", and "snp?" of one that has not proven it: a row has 80 columns.
std::string short_tee(const Value& worker) {
  const auto tee = tee_of(worker);
  return tee.substr(0, tee.find(" (")) + (tee.ends_with("(unproven)") ? "?" : "");
}

std::vector<std::string> worker_lines(const Seen& now) {
  Table table({"WORKER", "NAME", "ALIVE", "LOAD", "TEE"});
  for (const bool alive : {true, false}) {
    for (const auto& worker : now.workers) {
      if (is_alive(worker) != alive) continue;
      table.add({printable(shown(worker, "id"), 36), printable(shown(worker, "name"), 13), alive ? "yes" : "no",
                 load_of(worker), short_tee(worker)});
    }
  }
  return table.lines();
}

std::vector<std::string> failure_lines(const Seen& now) {
  std::vector<std::string> lines{"FAILURES, the latest first"};
  for (const auto& failure : list(now.overview, "failures")) lines.push_back(failure_line(failure));
  return lines.size() == 1 ? std::vector<std::string>{} : lines;
}

// At most `room` of `lines`; what is left out is counted.
void append_some(std::vector<std::string>& page, const std::vector<std::string>& lines, std::size_t room) {
  const bool all = lines.size() <= room;
  const auto shown_lines = all ? lines.size() : std::max<std::size_t>(room, 1) - 1;
  page.insert(page.end(), lines.begin(), lines.begin() + static_cast<std::ptrdiff_t>(shown_lines));
  if (!all) page.push_back("... and " + std::to_string(lines.size() - shown_lines) + " more");
}

std::vector<std::string> page_of(const std::string& title, const Seen& now, const std::string& speed,
                                 std::size_t height) {
  std::vector<std::string> page{title};
  for (auto& line : summary(now, speed)) page.push_back(std::move(line));
  page.emplace_back();
  const auto failures = failure_lines(now);
  const std::size_t left = std::max(height, page.size() + 5) - page.size();  // what does not fit is cut off below
  const std::size_t for_failures = std::min(failures.size(), std::max<std::size_t>(left / 3, 2));
  append_some(page, worker_lines(now), left - (failures.empty() ? 0 : for_failures + 1));
  if (failures.empty()) return page;
  page.emplace_back();
  append_some(page, failures, for_failures);
  return page;
}

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

// --- lines

// Of each thing what there is to say: a line that was not there before is a change.
std::map<std::string, std::string> facts(const Seen& now) {
  std::map<std::string, std::string> out;
  const auto& all = now.overview;
  for (const auto& worker : now.workers) {
    const auto id = shown(worker, "id");
    const auto tee = tee_of(worker);
    out["worker " + id] = "worker " + id + "  " + shown(worker, "name") + "  " +
                          (is_alive(worker) ? "alive" : "silent") + (tee.empty() ? "" : "  " + tee);
  }
  out["tasks"] = "tasks  " + count(all, "/tasks/running") + " running, " + count(all, "/tasks/queued") + " queued, " +
                 count(all, "/tasks/completed") + " completed, " + count(all, "/tasks/failed") + " failed";
  for (const auto& failure : list(all, "failures")) {
    out["failure " + shown(failure, "id") + shown(failure, "at")] =
        "failed " + shown(failure, "id") + "  " + failure_line(failure);
  }
  return out;
}

Object json_of(const Seen& now) {
  Object out = *now.overview.if_object();
  out.append("proplets", now.workers);
  return out;
}

// --- the work

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
    Screen::draw(page_of(title, *now_, rate_.text(), window.ws_row), window);
  }
  void print_once() const {
    if (context_.global.json) return print_json(json_of(*now_));
    for (const auto& line : page_of("manager  " + context_.manager_url, *now_, rate_.text(), 10'000))
      std::cout << line << "\n";
    std::cout.flush();
  }
  void print_changes() {
    auto present = facts(*now_);
    const bool changed = present != said_;
    if (context_.global.json && changed) std::cout << codec::json::serialize(json_of(*now_)) << std::endl;
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
  Rate rate_;
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
