// Atom, upstream's service for identities, as far as a fleet needs it: log in, and make what its members connect with.
// The documents are those of upstream's pkg/atomsdk (propeller.md section 1).
#pragma once

#include <memory>
#include <string>

#include "apps/coffer/context.h"
#include "base/secret_bytes.h"
#include "net/http_client.h"

namespace coffer::cli {

struct AtomLogin {
  std::string url, user;
  SecretBytes password{};
  std::string authority{};  // PEM file: roots beside the system's
};

// Every call fails with CliError::atom_refused where Atom says no, also where it says so by a 200 with errors.
class AtomClient {
 public:
  static Result<AtomClient> login(AtomLogin login);

  // Each makes one thing and returns its id; that of an access token is the token itself.
  Result<std::string> create_tenant(const std::string& name);
  Result<std::string> create_service_entity(const std::string& name, const std::string& tenant);
  Result<std::string> create_access_token(const std::string& entity, const std::string& description);
  Result<std::string> create_channel(const std::string& name, const std::string& tenant);
  // What may be done with a channel: publish and subscribe.
  Result<std::string> create_permission_block(const std::string& tenant, const std::string& channel);
  Result<std::string> create_direct_policy(const std::string& tenant, const std::string& entity,
                                           const std::string& permission_block);
  // Nothing where no tenant has that name.
  Result<std::optional<std::string>> find_tenant(const std::string& name);

 private:
  AtomClient(std::string url, std::shared_ptr<net::HttpClient> http) : url_(std::move(url)), http_(std::move(http)) {}
  Result<codec::json::Value> post(const std::string& path, const codec::json::Value& body);
  // The member `field` of the answer's data.
  Result<codec::json::Value> query(const std::string& document, codec::json::Object variables, std::string_view field);
  Result<std::string> create(const std::string& document, codec::json::Object variables, std::string_view field,
                             std::string_view wanted = "id");
  Result<std::optional<std::string>> find_by_name(const std::string& document, std::string_view field,
                                                  const std::string& name);

  std::string url_, token_;
  std::shared_ptr<net::HttpClient> http_;
};

}  // namespace coffer::cli
