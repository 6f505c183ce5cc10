// Who may use the REST API: bearer tokens known by their SHA-256, JSON Web Tokens of a trusted key, or client
// certificates; each with a role.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "codec/json.h"
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
  bool is_open() const { return open_; }
  // TOML: [[token]] name = "ci", role = "operator", sha256 = "<hex of the token's SHA-256>"
  //       [[key]] role = "viewer", public_key = "<PEM>" for JWTs by that key; their claim "role" may lower it, not
  //       raise.
  //       [[certificate]] role = "operator", and either name = "ci.example.org" (a subjectAltName of the client's
  //       certificate: DNS name, URI or e-mail; of one without any, its common name) or subject = "CN=ci,O=Example"
  //       (RFC 2253). Compared byte by byte; the first that fits holds.
  // ManagerError::bad_config.
  static Result<Access> parse(std::string_view toml, std::string_view file_name);

  // The caller's name, for the log. A bearer token counts before a certificate. ManagerError::unauthenticated,
  // forbidden.
  Result<std::string> check(const net::ServerRequest& request, Role needed, TimePoint now) const;
  // Whether the server has to ask for client certificates.
  bool knows_certificates() const { return !certificates_.empty(); }

 private:
  struct Holder {
    std::string name;
    Role role;
  };
  struct Key;
  struct CertificateName {
    std::string name, subject;  // one of them
    Role role;
    bool fits(const net::PeerCertificate& certificate) const;
  };
  Result<> read_tokens(const codec::json::Value& root, std::string_view file_name);
  Result<> read_keys(const codec::json::Value& root, std::string_view file_name);
  Result<> read_certificates(const codec::json::Value& root, std::string_view file_name);
  Result<Holder> caller(const net::ServerRequest& request, TimePoint now) const;
  Result<Holder> holder_of(std::string_view token, TimePoint now) const;
  Result<Holder> holder_of(const net::PeerCertificate& certificate, TimePoint now) const;

  bool open_ = false;
  std::map<std::string, Holder> tokens_;  // by lower-case hex of the hash
  std::vector<std::shared_ptr<const Key>> keys_;
  std::vector<CertificateName> certificates_;
};

}  // namespace coffer::fleet::manager
