// What a federated round's task reads and where its update goes: upstream's model registry, data store and coordinator,
// all by HTTP. Addresses stand in the task's environment, or in this worker's own.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "fleet/config/variables.h"
#include "net/http_client.h"

namespace coffer::fleet::worker {

class RoundExchange {
 public:
  using Environment = std::map<std::string, std::string>;
  RoundExchange(std::shared_ptr<net::HttpClient> http, Lookup own_variables)
      : http_(std::move(http)), own_(std::move(own_variables)) {}

  // MODEL_DATA: the JSON at MODEL_REGISTRY_URL/models/VERSION, the version being the number at the end of MODEL_URI.
  // DATASET_DATA: the JSON at DATA_STORE_URL/datasets/PROPLET_ID. Only for tasks with MODEL_URI or ROUND_ID; upstream
  // asks the data store before every task. What cannot be had is logged, and the guest does without.
  void add_inputs(Environment& environment) const;

  // Posts an update that is JSON to COORDINATOR_URL/update. False where the coordinator did not take it, and it should
  // go by MQTT instead; true also where there is nothing to post.
  bool deliver(const Environment& environment, const std::string& update) const;

  // COORDINATOR_URL of the task, or this worker's MANAGER_COORDINATOR_URL, without a slash at its end.
  std::string coordinator(const Environment& environment) const;

 private:
  std::string address(const Environment& environment, const std::string& name, const std::string& own_name) const;
  // The answer as compact JSON; empty where there is none.
  std::string get_json(const std::string& url) const;

  std::shared_ptr<net::HttpClient> http_;
  Lookup own_;
};

// "global_model_v7", "models/7": 7; 0 where the text ends with no number.
std::uint64_t model_version(std::string_view uri);

}  // namespace coffer::fleet::worker
