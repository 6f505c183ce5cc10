// What client and server share: messages as values. Header names compare without case and keep their spelling.
#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.h"

namespace coffer::net {

class Headers {
 public:
  using Field = std::pair<std::string, std::string>;
  Headers() = default;
  Headers(std::initializer_list<Field> fields) : fields_(fields) {}

  // The first value, or nothing.
  std::optional<std::string_view> get(std::string_view name) const;
  std::vector<std::string_view> get_all(std::string_view name) const;
  void set(std::string_view name, std::string value);  // replaces all
  void add(std::string_view name, std::string value);
  void remove(std::string_view name);
  bool empty() const { return fields_.empty(); }
  auto begin() const { return fields_.begin(); }
  auto end() const { return fields_.end(); }

 private:
  std::vector<Field> fields_;
};

// ASCII letters without case, as header names and most tokens compare.
bool equal_ignoring_case(std::string_view a, std::string_view b);
// RFC 9110 section 5.6.2: what methods and header names are made of.
bool is_token(std::string_view text);
// RFC 9110 section 5.5: no control characters but the tab. What CR, LF or NUL would do to a message is never sent.
bool is_field_value(std::string_view text);

}  // namespace coffer::net
