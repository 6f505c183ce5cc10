// Collateral out of a store, and from the vendors' services where the store lacks it.
//
// Versions of an item are kept side by side, so that an audit can ask for what was valid at a past time. Threads that
// ask for the same item share one question to its service; threads that ask for others do not wait for it. A service
// that says 429 or fails is left alone for as long as it asks, or for a growing while.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "crypto/random.h"
#include "evidence/collateral.h"
#include "net/http_client.h"
#include "net/metrics.h"
#include "net/retry.h"
#include "storage/key_value_store.h"

namespace coffer::evidence {

struct CollateralCacheOptions {
  std::shared_ptr<storage::KeyValueStore> store{};  // null: in memory, for the life of this object
  std::shared_ptr<net::HttpClient> client{};        // null: one is made
  std::map<std::string, std::string> base_urls{};   // by service, beside the defaults of collateral_services()
  bool offline = false;                             // never ask a service
  // Items that end (revocation lists, TCB info) are asked for again after this long, although what is stored still
  // holds: it is used on where the service does not answer.
  Duration refresh_after = std::chrono::hours{24};
  // Of one question with its place in the queue, attempts and pauses, and of all questions of one appraisal together:
  // a thread that serves a guest waits no longer. Nothing less than a millisecond.
  Duration budget = std::chrono::seconds{5};
  // The pauses of one question are short, because evidence waits for it; longer ones are left to the next.
  net::RetryPolicy retry{.attempts = 3,
                         .first_delay = std::chrono::milliseconds{200},
                         .max_delay = std::chrono::seconds{2},
                         .max_retry_after = std::chrono::seconds{2}};
  unsigned questions_at_once = 8;  // to one service; others wait for their turn
  std::size_t max_response_size = 4U << 20;
  const Clock* clock = &system_clock();
  crypto::RandomSource* random = &crypto::system_random();
  net::Sleep sleep = net::sleep_for;
  // Counter coffer_collateral_total{kind,outcome}; null: none. It outlives this object.
  net::MetricsRegistry* metrics = nullptr;
};

struct BundleReport {
  std::size_t added = 0;
  std::size_t known = 0;  // versions that the store had already
};

class CollateralCache final : public Collateral {
 public:
  // NetError::bad_url for a base URL that is none.
  static Result<std::shared_ptr<CollateralCache>> create(CollateralCacheOptions options);
  ~CollateralCache() override;

  Result<std::shared_ptr<const CollateralBlob>> get(const CollateralItem& item, TimePoint at) override;
  SteadyTime deadline() const override;

  // One JSON document with all that the store holds, each item with its digest and one over all.
  Result<std::string> export_bundle() const;
  // All of it or nothing. CollateralError::bad_bundle where it does not parse or a digest does not hold. Digests find
  // accidents; whoever can write the file can write digests, and the leaves check signatures.
  Result<BundleReport> import_bundle(std::string_view text);

 private:
  struct Impl;
  explicit CollateralCache(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace coffer::evidence
