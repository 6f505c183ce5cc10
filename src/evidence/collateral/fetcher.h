// Asks vendors' services over HTTP.
#pragma once

#include <map>
#include <memory>

#include "evidence/collateral/collateral_cache.h"
#include "evidence/collateral/service_gate.h"
#include "net/url.h"

namespace coffer::evidence {

struct FetchedItem {
  CollateralBlob blob;
  CollateralValidity validity;
};

class CollateralFetcher {
 public:
  // `options` outlives this. NetError::bad_url.
  static Result<std::unique_ptr<CollateralFetcher>> create(const CollateralCacheOptions& options);

  // Takes until item.deadline. All of CollateralError but offline, expired and bad_bundle.
  Result<FetchedItem> fetch(const CollateralItem& item);

 private:
  explicit CollateralFetcher(const CollateralCacheOptions& options) : options_(options) {}
  Result<std::string> base_url(const std::string& service) const;
  ServiceGate& gate_of(const std::string& base_url);
  // Attempts until `deadline`.
  Result<net::HttpResponse> exchange(const std::string& url, SteadyTime deadline);
  Result<net::HttpResponse> ask(const CollateralItem& item, const std::string& base_url, ServiceGate& gate);

  const CollateralCacheOptions& options_;
  std::shared_ptr<net::HttpClient> client_;
  std::map<std::string, std::string> base_urls_;
  std::mutex mutex_;
  std::map<std::string, std::unique_ptr<ServiceGate>> gates_;  // by base URL
};

}  // namespace coffer::evidence
