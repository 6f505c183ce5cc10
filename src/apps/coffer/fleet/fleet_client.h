// The manager's REST API from the operator's side.
#pragma once

#include <memory>
#include <string>

#include "apps/coffer/context.h"
#include "codec/json.h"
#include "net/http_client.h"

namespace coffer::cli {

struct FleetContext {
  Context& global;
  std::string manager_url = "http://localhost:7070";
  std::string token{};        // COFFER_MANAGER_TOKEN: a bearer token; never a flag, which others could see
  std::string certificate{};  // --ca-cert: who may have issued the manager's certificate
  std::string client_certificate{}, client_key{};  // --cert, --key: what the manager is shown
  std::string atom_url = "http://localhost:8080";
  bool verify = true;  // upstream's flag, which changes nothing: certificates are always verified
};

class FleetClient {
 public:
  static Result<FleetClient> create(const FleetContext& context);

  // A status other than 2xx is CliError::manager_refused with the manager's own sentence and code. An empty answer is
  // null.
  Result<codec::json::Value> get(const std::string& path) { return call("GET", path, {}, {}); }
  Result<codec::json::Value> remove(const std::string& path) { return call("DELETE", path, {}, {}); }
  Result<codec::json::Value> post(const std::string& path, const codec::json::Value& body);
  Result<codec::json::Value> put(const std::string& path, const codec::json::Value& body);
  // `file` as the form field of that name.
  Result<codec::json::Value> upload(const std::string& path, const std::string& file_name, ByteView content);
  Result<codec::json::Value> send(const std::string& method, const std::string& path, Bytes body,
                                  const std::string& content_type) {
    return call(method, path, std::move(body), content_type);
  }

 private:
  FleetClient(std::string url, std::string token, std::shared_ptr<net::HttpClient> http)
      : url_(std::move(url)), token_(std::move(token)), http_(std::move(http)) {}
  Result<codec::json::Value> call(const std::string& method, const std::string& path, Bytes body,
                                  const std::string& content_type);

  std::string url_, token_;
  std::shared_ptr<net::HttpClient> http_;
};

// "/tasks/" + id, safe for any id.
std::string item_path(std::string_view collection, std::string_view id, std::string_view rest = {});

}  // namespace coffer::cli
