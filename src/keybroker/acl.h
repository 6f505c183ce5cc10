// Which roles may use which paths.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "keybroker/config.h"
#include "keybroker/error.h"

namespace coffer::keybroker {

class Acl {
 public:
  // config_value where an expression does not begin with ^/kbs and end with $, or does not compile.
  static Result<Acl> create(const std::vector<AclRule>& rules);
  Acl(Acl&&) noexcept;
  Acl& operator=(Acl&&) noexcept;
  ~Acl();

  bool empty() const;
  bool allows(std::string_view role, std::string_view path_and_query) const;

 private:
  struct Impl;
  explicit Acl(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace coffer::keybroker
