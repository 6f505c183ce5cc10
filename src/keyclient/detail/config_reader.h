// Typed access to a configuration document that keeps account: what is read is known, what is left over is named, and
// errors carry file and line.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "codec/document.h"
#include "keyclient/error.h"

namespace coffer::keyclient::detail {

class ConfigTable {
 public:
  struct Source {
    const codec::Document& document;
    std::string_view name;
  };
  // `path`: of the table, "token_configs.kbs"; `pointer`: the same as a JSON pointer; both "" for the root.
  ConfigTable(const codec::json::Object* table, std::string path, std::string pointer, Source source)
      : table_(table), path_(std::move(path)), pointer_(std::move(pointer)), source_(source) {}

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
  std::string pointer_;
  Source source_;
  std::vector<std::string> known_;
};

}  // namespace coffer::keyclient::detail
