// How the command line shows things: tables for people, JSON for programs, a bar on a terminal and nothing in a pipe.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "codec/json.h"

namespace coffer::cli {

void print_json(const codec::json::Value& value);

class Table {
 public:
  explicit Table(std::vector<std::string> header) : rows_{std::move(header)} {}
  void add(std::vector<std::string> row);
  // Columns as wide as their widest cell, cells as printable(). A table without rows prints `empty` instead.
  void print(const std::string& empty) const;
  std::vector<std::string> lines() const;  // the header's first

 private:
  std::vector<std::vector<std::string>> rows_;
};

// A progress bar on standard error, at most ten times a second, only where it is a terminal.
class Progress {
 public:
  explicit Progress(std::string label);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  void update(std::uint64_t done, std::uint64_t total);

 private:
  std::string label_;
  bool shown_;
  std::int64_t last_ms_ = 0;
};

// "1.5 MiB".
std::string human_size(std::uint64_t bytes);

}  // namespace coffer::cli
