// Updates of federated rounds that a worker could not bring to the coordinator itself: they come by MQTT, and go on to
// the coordinator as those that come by POST /fl/update.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "codec/json.h"
#include "fleet/topics.h"
#include "net/http_client.h"

namespace coffer::fleet::manager {

// The document for the coordinator: `payload`, with the round and the worker of its topic where it names none.
// ManagerError::bad_request where it is no JSON object, or names others than its topic.
Result<std::string> round_update_document(const RoundUpdateTopic& topic, std::string_view payload);

class RoundUpdates {
 public:
  RoundUpdates(std::string coordinator_url, std::shared_ptr<net::HttpClient> http)
      : url_(std::move(coordinator_url) + "/update"), http_(std::move(http)) {}

  // An error where it is worth another try: the coordinator is away, or says that the fault is its own. What it does
  // not want is logged.
  Result<> forward(std::string_view document) const;

 private:
  const std::string url_;
  const std::shared_ptr<net::HttpClient> http_;
};

}  // namespace coffer::fleet::manager
