// Typed access to a configuration document that keeps account: what is read is known, what is left over is named, and
// errors carry file and line.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "codec/json.h"
#include "keyclient/error.h"

namespace coffer::keyclient::detail {

// The line, from 1, on which `key` of the table `path` ("token_configs.kbs", "" for the root) is written in TOML or
// JSON text. 0 where it cannot be told; then messages name the file alone.
std::size_t line_of(std::string_view text, std::string_view path, std::string_view key);

class ConfigTable {
 public:
  struct Source {
    std::string_view text;
    std::string_view name;
  };
  ConfigTable(const codec::json::Object* table, std::string path, Source source)
      : table_(table), path_(std::move(path)), source_(source) {}

  // A table that is absent reads as empty.
  Result<ConfigTable> table(std::string_view key);
  Result<std::optional<std::string>> text(std::string_view key);
  Result<std::optional<bool>> boolean(std::string_view key);
  Result<std::optional<std::uint64_t>> number(std::string_view key);

  bool present() const { return table_ != nullptr; }
  const codec::json::Object* members() const { return table_; }
  // Names of members that nobody asked for, as notices.
  void name_unknown(std::vector<std::string>& notices) const;
  // config_value at that key: "aa.toml:3: token_configs.kbs.url: <why>".
  std::unexpected<Error> wrong(std::string_view key, std::string_view why,
                               KeyClientError code = KeyClientError::config_value) const;

 private:
  const codec::json::Value* take(std::string_view key);
  std::string place(std::string_view key) const;

  const codec::json::Object* table_;
  std::string path_;
  Source source_;
  std::vector<std::string> known_;
};

}  // namespace coffer::keyclient::detail
