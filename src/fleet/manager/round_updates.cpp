#include "fleet/manager/round_updates.h"

#include "base/log.h"
#include "fleet/detail/members.h"
#include "fleet/manager/error.h"

namespace coffer::fleet::manager {
namespace {

constexpr auto patience = std::chrono::seconds{30};

Result<> name_or_check(codec::json::Object& update, const std::string& key, const std::string& expected) {
  const auto* found = update.find(key);
  if (found == nullptr) {
    update.append(key, expected);
    return {};
  }
  if (found->if_string() != nullptr && *found->if_string() == expected) return {};
  return fail(ManagerError::bad_request, "an update on the topic of " + expected + " names another " + key);
}

}  // namespace

Result<std::string> round_update_document(const RoundUpdateTopic& topic, std::string_view payload) {
  auto update = fleet::detail::parse_object(payload);
  if (!update) return fail(ManagerError::bad_request, "an update cannot be read: " + update.error().message);
  TRY(name_or_check(*update, "round_id", topic.round));
  TRY(name_or_check(*update, "proplet_id", topic.proplet));
  return codec::json::serialize(*update);
}

Result<> RoundUpdates::forward(std::string_view document) const {
  net::HttpRequest request;
  request.method = "POST";
  request.url = url_;
  request.headers.set("Content-Type", "application/json");
  request.body = to_bytes(document);
  request.timeout = patience;
  const auto answer = http_->send(request);
  if (!answer) return fail(ManagerError::coordinator_failed, "the coordinator: " + answer.error().message);
  if (answer->status >= 500) {
    return fail(ManagerError::coordinator_failed, "the coordinator answered " + std::to_string(answer->status));
  }
  if (answer->status >= 400) {
    log::warn("fleet.update_refused", "the coordinator does not take an update that came by MQTT",
              {{"status", std::to_string(answer->status)}});
  }
  return {};
}

}  // namespace coffer::fleet::manager
