// A global model: a row of numbers, as upstream's example has it ({"w":[0.0,0.0,0.0],"b":0.0}). The bias, where there
// is one, is the last of the row: so an update of format f32-delta has one number more than "w".
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "codec/json.h"
#include "fleet/aggregator/error.h"

namespace coffer::fleet::aggregator {

struct Model {
  std::uint64_t version = 0;
  std::vector<double> values{};  // "w", then "b"
  bool has_bias = false;

  // AggregatorError::bad_model: no numbers, more than `most`, members of another kind. What else the document says
  // ("version") is not read.
  static Result<Model> read(const codec::json::Object& document, std::uint64_t version, std::size_t most);
  // {"w":[...],"b":0.5,"version":1}: what workers and owners are served, to the byte; digests are over this text.
  std::string text() const;
};

// The version in a model's name, which ends with it: "fl/models/global_model_v7" is 7, and so is "7". 0 where the text
// ends with no number, as upstream reads it.
std::uint64_t version_in(std::string_view uri);
std::string uri_of(std::uint64_t version);  // "fl/models/global_model_v7"

}  // namespace coffer::fleet::aggregator
