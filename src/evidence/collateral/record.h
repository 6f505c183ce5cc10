// One version of an item as the store and bundles keep it.
#pragma once

#include <memory>
#include <vector>

#include "codec/json.h"
#include "evidence/collateral.h"

namespace coffer::evidence {

struct CollateralRecord {
  std::string kind;
  std::string key;
  TimePoint retrieved_at;
  CollateralValidity validity;
  std::shared_ptr<const CollateralBlob> blob;

  bool holds_at(TimePoint at) const;
  // SHA-256 over the issuer chain's length, the issuer chain and the body, in hex.
  std::string digest() const;
  // "amd-crl/vcek-Milan/0123456789abcdef": versions of one item stand together.
  std::string store_key() const;

  codec::json::Object to_json() const;
  // Also checks the digest. CollateralError::bad_bundle.
  static Result<CollateralRecord> from_json(const codec::json::Value& value);
};

// kind and key as CollateralItem demands them. malformed.
Result<> check_item_name(std::string_view kind, std::string_view key);

// The record to use at `at`: of those that hold the one that was retrieved last, or null.
const CollateralRecord* best_at(const std::vector<CollateralRecord>& versions, TimePoint at);

}  // namespace coffer::evidence
