// A broker without sockets and a guest that speaks to it, for tests. The clock stands still until a test moves it.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>

#include "codec/json.h"
#include "crypto/keys.h"
#include "evidence/tee.h"
#include "keybroker/broker.h"

namespace coffer::keybroker::testing {

using codec::json::Object;
using codec::json::Value;

// 2026-01-02T03:04:05Z
inline constexpr TimePoint start_of_test{std::chrono::milliseconds{1767323045000}};

// Background check with the sample TEE let in, every resource released to attested guests, administration open.
Config playground();

class TestBroker {
 public:
  explicit TestBroker(Config config = playground(), std::shared_ptr<storage::KeyValueStore> store = nullptr,
                      std::shared_ptr<appraisal::AttestationService> service = nullptr);

  net::ServerResponse send(std::string method, std::string_view target, std::string_view body = {},
                           net::Headers headers = {});
  net::ServerResponse get(std::string_view target, net::Headers headers = {}) {
    return send("GET", target, {}, std::move(headers));
  }
  net::ServerResponse post(std::string_view target, std::string_view body, net::Headers headers = {}) {
    return send("POST", target, body, std::move(headers));
  }
  void store_resource(std::string_view path, std::string_view content);
  void set_resource_policy(std::string_view rego);
  Value audit(std::string_view query = "");

  FixedClock clock{start_of_test};
  std::shared_ptr<storage::KeyValueStore> store;
  std::unique_ptr<Broker> broker;
};

// A guest with sample evidence. Each step can be done by itself, with what a test broke before.
class TestGuest {
 public:
  explicit TestGuest(TestBroker& broker, crypto::KeyKind key = crypto::KeyKind::ec_p256);

  net::ServerResponse auth(std::string_view tee = "sample", std::string_view version = "0.4.0");
  Object attestation() const;  // a valid Attestation for the last challenge
  net::ServerResponse attest() { return attest(attestation()); }
  net::ServerResponse attest(const Object& attestation);
  void handshake();  // expects success

  net::ServerResponse get(std::string_view resource) const;
  net::ServerResponse get_by_token(TestBroker& broker, std::string_view resource) const;
  // The plaintext of a response, or nothing where it does not open with this guest's key.
  std::optional<std::string> open(const net::ServerResponse& response) const;

  std::string cookie;  // "kbs-session-id=..."
  std::string nonce;
  std::string token;
  crypto::PrivateKey key;

 private:
  void keep_cookie(const net::ServerResponse& response);
  TestBroker& broker_;
};

std::string text_of(const net::ServerResponse& response);
Value json_of(const net::ServerResponse& response);
std::string session_of(const std::string& cookie);

// Status, `code`, and the last part of `type` of an error document: "401 broker.policy_denied PolicyDeny".
std::string refusal(const net::ServerResponse& response);
std::string detail_of(const net::ServerResponse& response);

std::string policy_upload(std::string_view rego, std::string_view id = {});

}  // namespace coffer::keybroker::testing
