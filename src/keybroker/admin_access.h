// Who may administer: a JWT in the Authorization header, checked against personas or identity providers, then an ACL of
// regular expressions over path and query (trustee.md 5.1 and 8.1).
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "keybroker/config.h"
#include "keybroker/error.h"
#include "net/http.h"

namespace coffer::keybroker {

class AdminAccess {
 public:
  // Reads every key once. config_file where one cannot be read; config_value for an ACL that does not run from ^/kbs
  // to $ or is no regular expression.
  static Result<std::unique_ptr<AdminAccess>> create(const AdminConfig& config);
  ~AdminAccess();

  // The administrator's name for the audit record ("admin", a role, or "anyone"); admin_denied otherwise, with
  // upstream's texts.
  Result<std::string> check(const net::Headers& headers, std::string_view path_and_query, TimePoint now) const;

 private:
  struct Impl;
  explicit AdminAccess(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// The token behind "Authorization: Bearer ", or nothing.
std::optional<std::string_view> bearer_token(const net::Headers& headers);

}  // namespace coffer::keybroker
