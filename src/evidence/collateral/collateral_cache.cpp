#include "evidence/collateral/collateral_cache.h"

#include <algorithm>
#include <array>
#include <mutex>
#include <unordered_map>

#include "base/log.h"
#include "evidence/collateral/bundle.h"
#include "evidence/collateral/fetcher.h"
#include "evidence/collateral/single_flight.h"

namespace coffer::evidence {

namespace {

constexpr std::string_view space = "collateral";
constexpr std::size_t page_size = 1000;
constexpr std::size_t shard_count = 16;
constexpr std::size_t max_items = 1024;   // in memory, a shard
constexpr std::size_t max_versions = 32;  // of one item
constexpr Duration absence_holds = std::chrono::seconds{60};

using Versions = std::vector<CollateralRecord>;
using Snapshot = std::shared_ptr<const Versions>;
using Blob = std::shared_ptr<const CollateralBlob>;

std::string id_of(const CollateralItem& item) {
  return item.kind + "/" + item.key;
}

// What is known of items, without asking the store: shards, so that threads seldom meet.
class Memory {
 public:
  Snapshot find(const std::string& id) {
    auto& shard = shard_of(id);
    const std::scoped_lock lock{shard.mutex};
    const auto found = shard.items.find(id);
    return found == shard.items.end() ? nullptr : found->second;
  }
  void put(const std::string& id, Snapshot versions) {
    auto& shard = shard_of(id);
    const std::scoped_lock lock{shard.mutex};
    if (shard.items.size() >= max_items) shard.items.erase(shard.items.begin());
    shard.items.insert_or_assign(id, std::move(versions));
  }
  // Unless another thread has put something since `seen` was found: that is newer.
  Snapshot replace(const std::string& id, const Snapshot& seen, Snapshot versions) {
    auto& shard = shard_of(id);
    const std::scoped_lock lock{shard.mutex};
    if (shard.items.size() >= max_items && !shard.items.contains(id)) shard.items.erase(shard.items.begin());
    auto& present = shard.items[id];
    if (present == seen) present = std::move(versions);
    return present;
  }
  void forget() {
    for (auto& shard : shards_) {
      const std::scoped_lock lock{shard.mutex};
      shard.items.clear();
    }
  }
  // A service that has no such item is not asked again for a minute: evidence may name any chip.
  bool is_absent(const std::string& id, TimePoint now) {
    auto& shard = shard_of(id);
    const std::scoped_lock lock{shard.mutex};
    const auto found = shard.absent_until.find(id);
    return found != shard.absent_until.end() && now < found->second;
  }
  void set_absent(const std::string& id, TimePoint now) {
    auto& shard = shard_of(id);
    const std::scoped_lock lock{shard.mutex};
    if (shard.absent_until.size() >= max_items) shard.absent_until.clear();
    shard.absent_until.insert_or_assign(id, now + absence_holds);
  }

 private:
  struct Shard {
    std::mutex mutex;
    std::unordered_map<std::string, Snapshot> items;
    std::unordered_map<std::string, TimePoint> absent_until;
  };
  Shard& shard_of(const std::string& id) { return shards_[std::hash<std::string>{}(id) % shard_count]; }
  std::array<Shard, shard_count> shards_;
};

std::string_view outcome_name(const Result<Blob>& result) {
  if (result) return "fetched";
  const auto name = result.error().code.name();
  return name.substr(name.find('.') + 1);
}

}  // namespace

struct CollateralCache::Impl {
  CollateralCacheOptions options;
  std::unique_ptr<CollateralFetcher> fetcher;
  std::optional<net::Counter> counter;
  Memory memory;
  SingleFlight<Blob> flights;
  std::mutex writing;  // of bundles: one import at a time

  void count(std::string_view kind, std::string_view outcome) {
    if (counter) counter->increment({kind, outcome});
  }

  Result<CollateralRecord> read(const std::string& key) const {
    const auto value = TRY(options.store->get(space, key));
    if (!value) return fail(CollateralError::malformed, "it vanished");
    const auto document = codec::json::parse(as_text(*value), {.max_size = storage::max_value_size});
    if (!document) return fail(document.error());
    return CollateralRecord::from_json(*document);
  }

  // All keys below `prefix`.
  Result<std::vector<std::string>> keys(const std::string& prefix) const {
    std::vector<std::string> out;
    while (true) {
      const auto page = TRY(options.store->list(space, prefix, out.empty() ? std::string{} : out.back(), page_size));
      out.insert(out.end(), page.begin(), page.end());
      if (page.size() < page_size) return out;
    }
  }

  Result<Snapshot> load(const CollateralItem& item) {
    if (auto known = memory.find(id_of(item))) return known;
    return reload(item);
  }

  // What the store says is read by the leaf before it is believed: a bundle may claim any time for an item.
  Result<Snapshot> reload(const CollateralItem& item) {
    const auto id = id_of(item);
    const auto seen = memory.find(id);
    auto versions = std::make_shared<Versions>();
    for (const auto& key : TRY(keys(id + "/"))) {
      auto record = read(key);
      const auto validity = record ? item.inspect(*record->blob) : Result<CollateralValidity>{fail(record.error())};
      if (!validity) {
        log::warn("collateral.bad_record", validity.error().message, {{"key", key}});
        continue;
      }
      record->validity = *validity;
      versions->push_back(*std::move(record));
    }
    // Nothing is not remembered: evidence may name any chip.
    return versions->empty() ? Snapshot{std::move(versions)} : memory.replace(id, seen, std::move(versions));
  }

  bool is_stale(const CollateralRecord& record, TimePoint at) const {
    const auto now = options.clock->now();
    if (options.offline || !record.validity.until) return false;
    // Whoever asks about the past wants what held then.
    return at + options.refresh_after > now && record.retrieved_at + options.refresh_after <= now;
  }

  Result<Blob> get(const CollateralItem& item, TimePoint at) {
    TRY(check_item_name(item.kind, item.key));
    auto versions = TRY(load(item));
    // Another process may have brought it meanwhile.
    if (best_at(*versions, at) == nullptr) versions = TRY(reload(item));
    const auto* best = best_at(*versions, at);
    if (best != nullptr && !is_stale(*best, at)) {
      count(item.kind, "stored");
      return best->blob;
    }
    // What holds still is not worth the whole wait.
    auto question = item;
    if (best != nullptr) {
      question.deadline = std::min(item.deadline, std::chrono::steady_clock::now() + options.budget / 5);
    }
    auto asked = ask(question, at, !versions->empty());
    count(item.kind, outcome_name(asked));
    if (asked || best == nullptr) return asked;
    log::warn("collateral.not_refreshed", asked.error().message, {{"kind", item.kind}, {"key", item.key}});
    return best->blob;
  }

  Result<Blob> ask(const CollateralItem& item, TimePoint at, bool has_other_versions) {
    const auto id = id_of(item);
    if (options.offline && has_other_versions) {
      return fail(CollateralError::expired, id + ": no stored version holds at " + format_rfc3339(at));
    }
    if (options.offline) {
      return fail(CollateralError::offline, id + " is not stored, and services are not asked; bring it by "
                                                 "`coffer collateral import`");
    }
    const auto flight = flights.run(id, item.deadline, [&] { return fetch(item, at); });
    if (!flight) {
      return fail(CollateralError::unreachable, id + ": another question for it takes longer than this one may");
    }
    TRY(*flight);
    const auto versions = TRY(load(item));
    const auto* best = best_at(*versions, at);
    if (best != nullptr) return best->blob;
    return fail(CollateralError::expired, id + ": what the service has now does not hold at " + format_rfc3339(at));
  }

  Result<Blob> fetch(const CollateralItem& item, TimePoint at) {
    // Another thread's flight may have landed between this one's look into the store and its start.
    const auto versions = TRY(load(item));
    const auto* present = best_at(*versions, at);
    if (present != nullptr && !is_stale(*present, at)) return present->blob;
    if (memory.is_absent(id_of(item), options.clock->now())) {
      return fail(CollateralError::not_found, id_of(item) + ": the service said lately that it has no such item");
    }
    auto fetched = fetcher->fetch(item);
    if (!fetched) {
      if (fetched.error().code == CollateralError::not_found) memory.set_absent(id_of(item), options.clock->now());
      return fail(std::move(fetched).error());
    }
    CollateralRecord record{item.kind, item.key, options.clock->now(), fetched->validity,
                            std::make_shared<const CollateralBlob>(std::move(fetched->blob))};
    TRY(keep(record));
    return record.blob;
  }

  Result<> write(const CollateralRecord& record) {
    const auto text = codec::json::serialize(record.to_json());
    return options.store->put(space, record.store_key(), as_bytes(text));
  }

  // Into the store and memory, beside the versions that are there.
  Result<> keep(const CollateralRecord& record) {
    TRY(write(record));
    const auto id = record.kind + "/" + record.key;
    auto versions = std::make_shared<Versions>();
    if (const auto known = memory.find(id)) *versions = *known;
    std::erase_if(*versions, [&](const auto& other) { return other.digest() == record.digest(); });
    versions->push_back(record);
    while (versions->size() > max_versions) {
      const auto oldest = std::ranges::min_element(*versions, {}, &CollateralRecord::retrieved_at);
      TRY(options.store->erase(space, oldest->store_key()));
      versions->erase(oldest);
    }
    memory.put(id, std::move(versions));
    return {};
  }
};

CollateralCache::CollateralCache(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
CollateralCache::~CollateralCache() = default;

Result<std::shared_ptr<CollateralCache>> CollateralCache::create(CollateralCacheOptions options) {
  auto impl = std::make_unique<Impl>();
  options.budget = std::max(options.budget, Duration{std::chrono::milliseconds{1}});
  if (options.store == nullptr) options.store = storage::make_memory_store();
  impl->options = std::move(options);
  impl->fetcher = TRY(CollateralFetcher::create(impl->options));
  if (impl->options.metrics != nullptr) {
    impl->counter = TRY(impl->options.metrics->counter(
        {"coffer_collateral_total", "Endorsements asked for, by kind and outcome", {"kind", "outcome"}}));
  }
  return std::shared_ptr<CollateralCache>{new CollateralCache(std::move(impl))};
}

Result<std::shared_ptr<const CollateralBlob>> CollateralCache::get(const CollateralItem& item, TimePoint at) {
  auto limited = item;
  limited.deadline = std::min(item.deadline, deadline());
  return impl_->get(limited, at);
}

SteadyTime CollateralCache::deadline() const {
  return std::chrono::steady_clock::now() + impl_->options.budget;
}

Result<std::string> CollateralCache::export_bundle() const {
  Versions records;
  for (const auto& key : TRY(impl_->keys(""))) records.push_back(TRY(impl_->read(key)));
  return write_bundle(records);
}

Result<BundleReport> CollateralCache::import_bundle(std::string_view text) {
  const auto records = TRY(read_bundle(text));
  const std::scoped_lock lock{impl_->writing};
  BundleReport out;
  for (const auto& record : records) {
    if (TRY(impl_->options.store->get(space, record.store_key()))) {
      ++out.known;
      continue;
    }
    TRY(impl_->write(record));
    ++out.added;
  }
  impl_->memory.forget();
  return out;
}

}  // namespace coffer::evidence
