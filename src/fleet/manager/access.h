// Who may use the REST API: bearer tokens known by their SHA-256, JSON Web Tokens of a trusted key, or client
// certificates; each with a role.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "fleet/manager/error.h"
#include "net/http_server.h"

namespace coffer::fleet::manager {

// Each may what those before it may.
enum class Role {
  viewer,     // reads
  operator_,  // makes, starts, stops and deletes tasks and jobs
  admin,      // forgets workers
};
Result<Role> parse_role(std::string_view name);

class Access {
 public:
  // Everybody is admin: only by a flag.
  static Access open();
  // TOML: [[token]] name = "ci", role = "operator", sha256 = "<hex of the token's SHA-256>"
  //       [[key]] role = "viewer", public_key = "<PEM>" for JWTs by that key; their claim "role" may lower it, not
  //       raise.
  // ManagerError::bad_config.
  static Result<Access> parse(std::string_view toml, std::string_view file_name);

  // The caller's name, for the log. ManagerError::unauthenticated, forbidden.
  Result<std::string> check(const net::ServerRequest& request, Role needed, TimePoint now) const;

 private:
  struct Holder {
    std::string name;
    Role role;
  };
  struct Key;
  Result<Holder> holder_of(std::string_view token, TimePoint now) const;

  bool open_ = false;
  std::map<std::string, Holder> tokens_;  // by lower-case hex of the hash
  std::vector<std::shared_ptr<const Key>> keys_;
};

}  // namespace coffer::fleet::manager
