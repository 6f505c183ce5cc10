// A configuration file as a value, with the line on which each member stands, for errors that a person can act on.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>

#include "codec/json.h"

namespace coffer::codec {

struct Document {
  json::Value root;
  // By JSON pointer (RFC 6901), from 1. Of members early in the file at least: see LineMap.
  std::map<std::string, std::size_t> lines{};
};

// Fills Document::lines up to a bound. Each pointer repeats the names of all that it lies in, so that a file with one
// long name and many members below it would otherwise take memory by the square of its size.
class LineMap {
 public:
  void add(const std::string& pointer, std::size_t line);
  std::map<std::string, std::size_t> take() { return std::move(lines_); }

  static constexpr std::size_t max_pointer_bytes = 8U << 20;  // of all pointers together

 private:
  std::map<std::string, std::size_t> lines_;
  std::size_t bytes_ = 0;
};

// One step of a JSON pointer, with '~' and '/' escaped.
std::string pointer_step(std::string_view key);

}  // namespace coffer::codec
