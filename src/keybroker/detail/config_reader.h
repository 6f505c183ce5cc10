// One table of a configuration: typed access, errors with file and line, and a memory of which keys were asked for, so
// that the others can be named.
#pragma once

#include <filesystem>
#include <initializer_list>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "codec/document.h"
#include "keybroker/error.h"

namespace coffer::keybroker::detail {

// The file that is being read.
struct ConfigSource {
  std::string name;  // "kbs-config.toml"
  codec::Document document;
  std::vector<std::string> notices{};  // grows while reading
};

class ConfigTable {
 public:
  // The root; config_value where it is no table.
  static Result<ConfigTable> root(ConfigSource& source);

  bool has(std::string_view key) const { return object_->contains(key); }
  const std::string& path() const { return path_; }  // "http_server", empty for the root

  // Nothing where absent or null; config_value for another type.
  Result<std::optional<std::string>> text(std::string_view key);
  Result<std::optional<bool>> flag(std::string_view key);
  Result<std::optional<std::int64_t>> number(std::string_view key, std::int64_t least, std::int64_t most);
  Result<std::optional<std::vector<std::string>>> texts(std::string_view key);  // one text stands for a list of one
  Result<std::optional<ConfigTable>> table(std::string_view key);
  Result<std::optional<codec::json::Object>> object(std::string_view key);  // as it stands, for a reader elsewhere
  Result<std::vector<ConfigTable>> tables(std::string_view key);            // empty where absent

  // The same, written to `into` where the key is present.
  Result<> read(std::string_view key, std::string& into);
  Result<> read(std::string_view key, bool& into);
  Result<> read(std::string_view key, std::filesystem::path& into);

  // True where the key's value is a table (and not a text, as older generations have it).
  bool is_table(std::string_view key) const;

  // Keys that are known and have no effect here.
  void ignore(std::initializer_list<std::string_view> keys);
  // What is left over: a notice each, or config_unknown_key.
  void finish();
  Result<> finish_strictly();

  void notice(std::string text) { source_->notices.push_back(std::move(text)); }
  // "kbs-config.toml:12: http_server.insecure_http: <text>"
  std::unexpected<Error> error(BrokerError code, std::string_view key, std::string_view text) const;

 private:
  ConfigTable(ConfigSource& source, const codec::json::Object& object, std::string path, std::string pointer)
      : source_(&source), object_(&object), path_(std::move(path)), pointer_(std::move(pointer)) {}
  const codec::json::Value* take(std::string_view key);
  std::string place(std::string_view key) const;
  std::unexpected<Error> wrong(std::string_view key, std::string_view expected, const codec::json::Value& found) const;
  ConfigTable child(const codec::json::Object& object, std::string path, std::string pointer) const;

  ConfigSource* source_;
  const codec::json::Object* object_;
  std::string path_;
  std::string pointer_;
  std::set<std::string, std::less<>> seen_;
};

}  // namespace coffer::keybroker::detail
