#include "fleet/worker/rounds/round_exchange.h"

#include <charconv>

#include "base/log.h"
#include "codec/json.h"

namespace coffer::fleet::worker {
namespace {

constexpr Duration timeout = std::chrono::seconds{30};
constexpr std::size_t max_document = 64U << 20;

std::string value_of(const RoundExchange::Environment& environment, const std::string& name) {
  const auto found = environment.find(name);
  return found == environment.end() ? "" : found->second;
}

void note_missing(std::string_view url, std::string_view why) {
  log::warn("worker.round", "a document of the round cannot be had",
            {{"url", std::string{url}}, {"cause", std::string{why}}});
}

}  // namespace

std::uint64_t model_version(std::string_view uri) {
  const auto last = uri.find_last_not_of("0123456789");
  const auto digits = last == std::string_view::npos ? uri : uri.substr(last + 1);
  std::uint64_t version = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), version);
  return version;
}

std::string RoundExchange::address(const Environment& environment, const std::string& name,
                                   const std::string& own_name) const {
  auto url = value_of(environment, name);
  if (url.empty()) url = own_(own_name).value_or("");
  while (url.ends_with('/')) url.pop_back();
  return url;
}

std::string RoundExchange::get_json(const std::string& url) const {
  const auto answer = http_->send({.url = url, .timeout = timeout, .max_response_size = max_document});
  if (!answer || answer->status != 200) {
    note_missing(url, answer ? "HTTP " + std::to_string(answer->status) : answer.error().message);
    return "";
  }
  const auto document = codec::json::parse(as_text(answer->body), {.max_size = max_document});
  if (document) return codec::json::serialize(*document);
  note_missing(url, document.error().message);
  return "";
}

void RoundExchange::add_inputs(Environment& environment) const {
  const auto model = value_of(environment, "MODEL_URI");
  if (model.empty() && !environment.contains("ROUND_ID")) return;
  const auto add = [&](const char* name, const std::string& url) {
    if (auto document = get_json(url); !document.empty()) environment.insert_or_assign(name, std::move(document));
  };
  const auto registry = address(environment, "MODEL_REGISTRY_URL", "MODEL_REGISTRY_URL");
  if (!model.empty() && !registry.empty()) {
    add("MODEL_DATA", registry + "/models/" + std::to_string(model_version(model)));
  }
  const auto store = address(environment, "DATA_STORE_URL", "DATA_STORE_URL");
  if (!store.empty()) add("DATASET_DATA", store + "/datasets/" + value_of(environment, "PROPLET_ID"));
}

std::string RoundExchange::coordinator(const Environment& environment) const {
  return address(environment, "COORDINATOR_URL", "MANAGER_COORDINATOR_URL");
}

bool RoundExchange::deliver(const Environment& environment, const std::string& update) const {
  const auto url = coordinator(environment);
  if (url.empty() || !codec::json::parse(update)) return true;
  const auto answer = http_->send({.method = "POST",
                                   .url = url + "/update",
                                   .headers = {{"Content-Type", "application/json"}},
                                   .body = to_bytes(update),
                                   .timeout = timeout});
  if (answer && answer->status >= 200 && answer->status < 300) return true;
  note_missing(url + "/update", answer ? "HTTP " + std::to_string(answer->status) : answer.error().message);
  return false;
}

}  // namespace coffer::fleet::worker
