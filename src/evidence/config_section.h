// One leaf's member of `verifier_config` ("nitro_verifier": {...}), read strictly: values of another type are errors,
// keys that nobody asked for a warning that names them.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "codec/json.h"
#include "evidence/tee.h"

namespace coffer::evidence {

class ConfigSection {
 public:
  // The member `name` of `config`, or an empty section. Error: bad_config, as of all below.
  static Result<ConfigSection> open(const codec::json::Object& config, std::string name);

  Result<bool> flag(std::string_view key, bool otherwise);
  Result<std::optional<std::uint64_t>> number(std::string_view key, std::uint64_t least, std::uint64_t most);
  Result<std::optional<std::string>> text(std::string_view key);
  // Null where absent.
  Result<const codec::json::Array*> array(std::string_view key);
  const codec::json::Value* value(std::string_view key);

  // Call last: logs `evidence.unknown_setting` for each key that was not asked for.
  void warn_of_unknown_keys() const;
  // "nitro_verifier.max_age_seconds is expected to be ..., found ..."
  std::unexpected<Error> bad(std::string_view key, std::string_view expected, std::string_view found) const;

 private:
  ConfigSection() = default;
  std::string name_;
  codec::json::Object members_;
  std::vector<std::string> asked_;
};

}  // namespace coffer::evidence
