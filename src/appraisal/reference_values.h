// Reference values (RVPS) in namespace `reference_value`, stored as upstream stores them (trustee.md 6.3).
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "appraisal/error.h"
#include "base/clock.h"
#include "codec/json.h"
#include "storage/key_value_store.h"

namespace coffer::appraisal {

struct ReferenceValue {
  std::string name;
  std::string version;     // "0.1.0"
  std::string expiration;  // RFC 3339, UTC
  codec::json::Value value;
  bool expired = false;  // at the time of reading

  // {"version","name","expiration","value"}: the stored shape.
  codec::json::Object to_json() const;
};

class ReferenceValueStore {
 public:
  ReferenceValueStore(std::shared_ptr<storage::KeyValueStore> store, const Clock& clock)
      : store_(std::move(store)), clock_(clock) {}

  // {"version":"0.1.0"?,"type":"sample","payload":"<base64 of a JSON object from name to value>"}. Returns the names.
  // All names are checked before the first is written. swid and corim are unsupported_reference. Ours, ignored by
  // upstream: "expected", an object from name to value, null for one that is not there. Where any of them is another by
  // now, nothing is written (reference_conflict); where one changes at that very moment, those before it are.
  Result<std::vector<std::string>> register_message(std::string_view message);
  // One value, without the message around it; expires after 12 months like all others.
  Result<> set(std::string_view name, const codec::json::Value& value);

  Result<std::optional<ReferenceValue>> find(std::string_view name) const;
  // The bare value for a policy's query_reference_value; warns in the log where it has expired (upstream does not
  // enforce expiry, and a value that stopped counting overnight would take a fleet down).
  Result<std::optional<codec::json::Value>> query(std::string_view name) const;
  Result<std::vector<ReferenceValue>> list() const;
  Result<bool> erase(std::string_view name);

 private:
  codec::json::Value stored_form(std::string_view name, const codec::json::Value& value) const;
  Result<> set_if(const codec::json::Object& values, const codec::json::Object& expected);

  std::shared_ptr<storage::KeyValueStore> store_;
  const Clock& clock_;
};

// The message that registers `value` under `name` (what `coffer reference set` and kbs-client send).
std::string sample_reference_message(std::string_view name, const codec::json::Value& value);

}  // namespace coffer::appraisal
