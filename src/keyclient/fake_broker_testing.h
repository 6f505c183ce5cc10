// A broker in this process that follows the protocol, until a test scripts one endpoint to do otherwise.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "base/clock.h"
#include "evidence/tee.h"
#include "keyclient/kbs_client.h"
#include "keyclient/protocol.h"
#include "net/http_server.h"

namespace coffer::keyclient {

// Evidence of the sample TEE's shape, without the registry's guard.
class FakeAttester final : public evidence::Attester {
 public:
  evidence::TeeKind kind() const override { return evidence::TeeKind::sample; }
  Result<codec::json::Value> attest(ByteView report_data) const override;
  std::atomic<bool> broken = false;
};

class FakeBroker {
 public:
  using Script = std::function<net::ServerResponse(const net::ServerRequest&)>;

  FakeBroker();
  ~FakeBroker();

  std::string url() const;
  // "auth", "attest", "resource", "info": replaces what that endpoint does.
  void script(const std::string& endpoint, Script script);
  void script(const std::string& endpoint, int status, std::string body);
  void refuse(const std::string& endpoint, int status, std::string_view variant, std::string detail,
              std::string_view code = "");
  // Forgets all sessions, as a restart does.
  void forget_sessions();
  void stop() { server_->stop(); }

  std::map<std::string, std::string> resources{{"default/key/k1", std::string(32, 'k')}};
  std::int64_t token_lifetime = 300;  // seconds
  std::int64_t clock_offset = 0;      // of this broker's clock, seconds
  bool trusts_any_issuer = false;     // takes every Bearer token at its word
  unsigned requests(const std::string& endpoint) const;
  Attestation last_attestation() const;
  std::string last_credential() const;

 private:
  struct Session {
    std::string token;
    std::string tee_pubkey;
  };
  net::ServerResponse handle(const net::ServerRequest& request);
  net::ServerResponse auth(const net::ServerRequest& request);
  net::ServerResponse attest(const net::ServerRequest& request);
  net::ServerResponse resource(const net::ServerRequest& request);

  mutable std::mutex mutex_;
  std::map<std::string, Script> scripts_;
  std::map<std::string, unsigned> counts_;
  std::map<std::string, Session> sessions_;  // by cookie
  Attestation last_attestation_;
  std::string last_credential_;
  unsigned next_session_ = 0;
  std::unique_ptr<net::HttpServer> server_;
};

net::ServerResponse json_response(int status, std::string_view body);

// Options that do not wait between attempts.
inline BrokerOptions quick(const std::string& url) {
  return {.url = url, .timeout = std::chrono::seconds{10}, .first_retry_delay = std::chrono::milliseconds{1}};
}

}  // namespace coffer::keyclient
