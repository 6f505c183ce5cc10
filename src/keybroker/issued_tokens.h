// What this broker knows about the tokens it handed out: why they got their verdict. Kept in the store by the token's
// hash while the token lives, so that any replica can explain a later denial.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "codec/json.h"
#include "keybroker/error.h"
#include "storage/key_value_store.h"

namespace coffer::keybroker {

struct IssuedToken {
  std::string session;
  std::string tee;  // wire name of the primary TEE
  TimePoint expires;
  codec::json::Array explanation{};  // failing conditions of the appraisal; empty where affirming
};

// SHA-256 of the compact token in hexadecimal: its name in records, which reveals nothing that could be replayed.
std::string token_id(std::string_view token);

class IssuedTokens {
 public:
  explicit IssuedTokens(std::shared_ptr<storage::KeyValueStore> store) : store_(std::move(store)) {}

  Result<> remember(std::string_view token, const IssuedToken& issued);
  // Nothing where another broker issued it.
  Result<std::optional<IssuedToken>> find(std::string_view token) const;
  Result<std::size_t> sweep(TimePoint now);

 private:
  std::shared_ptr<storage::KeyValueStore> store_;
};

}  // namespace coffer::keybroker
