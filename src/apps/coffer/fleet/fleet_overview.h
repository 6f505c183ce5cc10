// What there is to say of a whole fleet at one moment, as a page or as lines.
#pragma once

#include <deque>
#include <map>
#include <string>
#include <vector>

#include "apps/coffer/fleet/fleet_client.h"
#include "base/clock.h"

namespace coffer::cli {

// One look.
struct Seen {
  codec::json::Value overview;
  codec::json::Array workers{};  // the first 1000; the overview counts all
};
Result<Seen> look(FleetClient& manager);

// How many tasks end a second, over the last looks.
class CompletionRate {
 public:
  void add(const codec::json::Value& overview);
  // "52.1/s"; nothing where it is not known yet.
  std::string text() const;

 private:
  struct Sample {
    TimePoint at;
    std::uint64_t completed;
  };
  std::deque<Sample> samples_;
};

// Counts, workers and failures in about `height` rows: what does not fit is counted.
std::vector<std::string> overview_page(const std::string& title, const Seen& now, const std::string& speed,
                                       std::size_t height);
// Of each thing what there is to say, by a key of its own: a line that was not there before is a change.
std::map<std::string, std::string> overview_facts(const Seen& now);
codec::json::Object overview_json(const Seen& now);

}  // namespace coffer::cli
