#include "evidence/collateral/fetcher.h"

#include <algorithm>

namespace coffer::evidence {

namespace {

std::unexpected<Error> about(CollateralError code, const CollateralItem& item, const std::string& what) {
  return fail(code, item.kind + " " + item.key + ": " + what);
}

bool is_absent(int status) {
  return status == 400 || status == 404 || status == 410;
}

// A question that begins has the time for one attempt, and no request has a time-out of nothing, which would be none.
constexpr Duration shortest_attempt = std::chrono::milliseconds{1};

Duration left_until(SteadyTime deadline) {
  const auto left = deadline - std::chrono::steady_clock::now();
  return std::max(std::chrono::duration_cast<Duration>(left), shortest_attempt);
}

std::string without_slash(std::string url) {
  while (url.ends_with('/')) url.pop_back();
  return url;
}

}  // namespace

Result<std::unique_ptr<CollateralFetcher>> CollateralFetcher::create(const CollateralCacheOptions& options) {
  std::unique_ptr<CollateralFetcher> out{new CollateralFetcher(options)};
  for (const auto& service : collateral_services()) out->base_urls_.emplace(service.name, service.default_url);
  for (const auto& [name, url] : options.base_urls) {
    TRY(net::Url::parse(url));
    out->base_urls_.insert_or_assign(name, without_slash(url));
  }
  out->client_ = options.client;
  if (!out->client_ && !options.offline) out->client_ = TRY(net::HttpClient::create());
  return out;
}

Result<std::string> CollateralFetcher::base_url(const std::string& service) const {
  if (service.find("://") != std::string::npos) return without_slash(service);
  const auto known = base_urls_.find(service);
  if (known != base_urls_.end()) return known->second;
  return fail(CollateralError::unreachable, "no address is configured for the service \"" + service + "\"");
}

ServiceGate& CollateralFetcher::gate_of(const std::string& base_url) {
  const std::scoped_lock lock{mutex_};
  auto& gate = gates_[base_url];
  if (gate == nullptr) gate = std::make_unique<ServiceGate>(options_.questions_at_once, *options_.clock);
  return *gate;
}

Result<net::HttpResponse> CollateralFetcher::exchange(const std::string& url, SteadyTime deadline) {
  net::Retry retry{options_.retry, *options_.random, *options_.clock};
  while (true) {
    net::HttpRequest request{
        .url = url, .timeout = left_until(deadline), .max_response_size = options_.max_response_size};
    auto response = client_->send(request);
    const auto pause = retry.after(response);
    // A pause that leaves no time for an attempt behind it is left to the next question.
    if (!pause || left_until(deadline) <= *pause + shortest_attempt) return response;
    options_.sleep(*pause);
  }
}

Result<net::HttpResponse> CollateralFetcher::ask(const CollateralItem& item, const std::string& base_url,
                                                 ServiceGate& gate) {
  auto place = gate.enter(left_until(item.deadline));
  if (!place) return fail(Error{place.error().code, item.kind + " " + item.key + ": " + place.error().message});
  auto response = exchange(base_url + item.path, item.deadline);
  if (!response && response.error().code == net::NetError::too_large) {
    return about(CollateralError::malformed, item, response.error().message);
  }
  if (!response) {
    gate.failed(CollateralError::unreachable, std::nullopt);
    return about(CollateralError::unreachable, item, response.error().message);
  }
  if (response->status == 429) {
    gate.failed(CollateralError::rate_limited, net::retry_after(response->headers, options_.clock->now()));
    return about(CollateralError::rate_limited, item, base_url + " limits how often it is asked");
  }
  if (response->status >= 500) {
    gate.failed(CollateralError::unreachable, net::retry_after(response->headers, options_.clock->now()));
    return about(CollateralError::unreachable, item,
                 base_url + " answers with status " + std::to_string(response->status));
  }
  gate.succeeded();
  return response;
}

Result<FetchedItem> CollateralFetcher::fetch(const CollateralItem& item) {
  const auto base = TRY(base_url(item.service));
  auto response = TRY(ask(item, base, gate_of(base)));
  if (is_absent(response.status)) {
    return about(CollateralError::not_found, item, base + " answers with status " + std::to_string(response.status));
  }
  if (response.status != 200) {
    return about(CollateralError::malformed, item,
                 base + " is expected to answer with status 200, found " + std::to_string(response.status));
  }
  FetchedItem out{{std::move(response.body), {}}, {}};
  if (!item.chain_header.empty()) {
    const auto header = response.headers.get(item.chain_header);
    const auto chain = header ? net::percent_decode(*header) : Result<std::string>{std::string{}};
    if (!header || !chain) return about(CollateralError::malformed, item, "no " + item.chain_header + " that reads");
    out.blob.issuer_chain = *chain;
  }
  auto validity = item.inspect(out.blob);
  if (!validity) return about(CollateralError::malformed, item, validity.error().message);
  out.validity = *validity;
  return out;
}

}  // namespace coffer::evidence
