// A configuration file as a value, with the line on which each member stands, for errors that a person can act on.
#pragma once

#include <cstddef>
#include <map>
#include <string>

#include "codec/json.h"

namespace coffer::codec {

struct Document {
  json::Value root;
  std::map<std::string, std::size_t> lines{};  // by JSON pointer (RFC 6901), from 1
};

// One step of a JSON pointer, with '~' and '/' escaped.
std::string pointer_step(std::string_view key);

}  // namespace coffer::codec
