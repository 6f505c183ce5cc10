// The topics of a fleet: m/{tenant}/c/{channel} and what hangs below it.
#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace coffer::fleet {

enum class Topic {
  discovery,       // /control/proplet/create, worker to manager
  alive,           // /control/proplet/alive
  node_metrics,    // /control/proplet/metrics
  task_metrics,    // /control/proplet/task_metrics
  results,         // /control/proplet/results
  invoke_results,  // /control/proplet/invoke_results
  start,           // /control/manager/start, manager to all workers
  stop,            // /control/manager/stop
  invoke,          // /control/manager/invoke
  fetch,           // /registry/proplet, worker to proxy
  chunk,           // /registry/server, proxy to all workers
  round_start,     // /fl/rounds/start
  round_update,    // fl/rounds/{round}/updates/{proplet}, without the base: worker to whoever listens
};

class Topics {
 public:
  // FleetError::bad_identifier for what is empty, over 128 bytes, or holds '/', '+', '#', a control character or bytes
  // that are no UTF-8 (MQTT 3.1.1 sections 1.5.3 and 4.7.1).
  static Result<Topics> create(std::string_view tenant, std::string_view channel);

  const std::string& base() const { return base_; }  // "m/t/c/ch"
  std::string all() const { return base_ + "/#"; }   // what a manager subscribes to
  // Of Topic::round_update the filter of all.
  std::string of(Topic topic) const;
  // The exact topic a message came on; nothing where it is none of ours.
  std::optional<Topic> classify(std::string_view topic) const;

 private:
  explicit Topics(std::string base) : base_(std::move(base)) {}
  std::string base_;
};

// fl/rounds/{round}/updates/{proplet}: without the channel's prefix, as upstream's workers send it.
std::string round_update_topic(std::string_view round, std::string_view proplet);
struct RoundUpdateTopic {
  std::string round, proplet;
};
std::optional<RoundUpdateTopic> parse_round_update_topic(std::string_view topic);

// RFC 9562 text form, either case: what upstream's REST API takes for a worker's or a task's id.
bool is_uuid(std::string_view text);
// A random one (version 4).
std::string random_uuid();
// One that follows from a name (version 8): the same for the same parts, in their order.
std::string uuid_of(std::initializer_list<std::string_view> name);

}  // namespace coffer::fleet
