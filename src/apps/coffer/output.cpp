#include "apps/coffer/output.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <iostream>

#include "base/printable.h"

namespace coffer::cli {
namespace {

std::int64_t steady_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

}  // namespace

void print_json(const codec::json::Value& value) {
  std::cout << codec::json::serialize_pretty(value) << std::endl;
}

void Table::add(std::vector<std::string> row) {
  for (auto& cell : row) cell = printable(cell);
  rows_.push_back(std::move(row));
}

std::vector<std::string> Table::lines() const {
  std::vector<std::size_t> widths(rows_.front().size());
  for (const auto& row : rows_) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::vector<std::string> out;
  for (const auto& row : rows_) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      line += row[i];
      if (i + 1 < row.size()) line.append(widths[i] - row[i].size() + 2, ' ');
    }
    out.push_back(std::move(line));
  }
  return out;
}

void Table::print(const std::string& empty) const {
  if (rows_.size() < 2) {
    std::cout << empty << std::endl;
    return;
  }
  for (const auto& line : lines()) std::cout << line << "\n";
  std::cout.flush();
}

Progress::Progress(std::string label) : label_(std::move(label)), shown_(::isatty(STDERR_FILENO) == 1) {}

Progress::~Progress() {
  if (shown_ && last_ms_ != 0) std::fputs("\r\x1b[K", stderr);
}

void Progress::update(std::uint64_t done, std::uint64_t total) {
  if (!shown_) return;
  const auto now = steady_ms();
  if (now - last_ms_ < 100 && done != total) return;
  last_ms_ = now;
  constexpr std::size_t width = 30;
  const std::size_t filled = total == 0 ? 0 : std::min<std::size_t>(width, done * width / total);
  const std::string bar = std::string(filled, '#') + std::string(width - filled, '.');
  std::fprintf(stderr, "\r%s [%s] %s%s%s\x1b[K", label_.c_str(), bar.c_str(), human_size(done).c_str(),
               total == 0 ? "" : " of ", total == 0 ? "" : human_size(total).c_str());
}

std::string human_size(std::uint64_t bytes) {
  static constexpr const char* units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
  double value = static_cast<double>(bytes);
  std::size_t unit = 0;
  while (value >= 1024 && unit + 1 < std::size(units)) {
    value /= 1024;
    ++unit;
  }
  char text[32];
  std::snprintf(text, sizeof text, unit == 0 ? "%.0f %s" : "%.1f %s", value, units[unit]);
  return text;
}

}  // namespace coffer::cli
