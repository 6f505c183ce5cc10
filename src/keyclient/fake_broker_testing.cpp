#include "keyclient/fake_broker_testing.h"

#include <cstdlib>

#include "codec/base64.h"
#include "codec/jose/jwe.h"
#include "codec/jose/jwk.h"
#include "codec/jose/jwt.h"
#include "crypto/hash.h"

namespace coffer::keyclient {
namespace {

namespace json = codec::json;

std::string nonce_for(const std::string& session) {
  return codec::base64_encode(crypto::sha256(as_bytes(session)));
}

// Claims as upstream gives them, and the key that answers are encrypted to. Nobody here checks the signature.
std::string make_token(const json::Value& tee_pubkey, std::int64_t issued, std::int64_t lifetime) {
  const json::Object claims{{"iat", issued}, {"exp", issued + lifetime}, {"tee-pubkey", tee_pubkey}};
  return codec::base64url_encode(as_bytes(R"({"typ":"JWT","alg":"ES256"})")) + "." +
         codec::base64url_encode(as_bytes(json::serialize(claims))) + "." +
         codec::base64url_encode(as_bytes("signature"));
}

}  // namespace

Result<json::Value> FakeAttester::attest(ByteView report_data) const {
  if (broken) return fail(evidence::EvidenceError::no_device, "/dev/fake-guest does not exist");
  return json::Value{json::Object{{"svn", "1"}, {"report_data", codec::base64_encode(report_data)}}};
}

net::ServerResponse json_response(int status, std::string_view body) {
  return net::ServerResponse::text(status, "application/json", body);
}

FakeBroker::FakeBroker() {
  auto server = net::HttpServer::start({.sockets = {"127.0.0.1:0"}, .workers = 8},
                                       [this](const net::ServerRequest& request) { return handle(request); });
  if (!server) std::abort();
  server_ = std::move(*server);
}

FakeBroker::~FakeBroker() {
  server_->stop();
}

std::string FakeBroker::url() const {
  return "http://" + server_->addresses().front();
}

void FakeBroker::script(const std::string& endpoint, Script script) {
  const std::lock_guard lock{mutex_};
  scripts_[endpoint] = std::move(script);
}

void FakeBroker::script(const std::string& endpoint, int status, std::string body) {
  script(endpoint, [status, body = std::move(body)](const auto&) { return json_response(status, body); });
}

void FakeBroker::refuse(const std::string& endpoint, int status, std::string_view variant, std::string detail,
                        std::string_view code) {
  script(endpoint, status, ErrorInformation::make(variant, std::move(detail), code).serialize());
}

void FakeBroker::forget_sessions() {
  const std::lock_guard lock{mutex_};
  sessions_.clear();
}

unsigned FakeBroker::requests(const std::string& endpoint) const {
  const std::lock_guard lock{mutex_};
  const auto count = counts_.find(endpoint);
  return count == counts_.end() ? 0 : count->second;
}

Attestation FakeBroker::last_attestation() const {
  const std::lock_guard lock{mutex_};
  return last_attestation_;
}

std::string FakeBroker::last_credential() const {
  const std::lock_guard lock{mutex_};
  return last_credential_;
}

net::ServerResponse FakeBroker::handle(const net::ServerRequest& request) {
  const auto rest = request.path.starts_with("/kbs/v0/") ? request.path.substr(8) : "";
  const auto endpoint = rest.substr(0, rest.find('/'));
  Script scripted;
  {
    const std::lock_guard lock{mutex_};
    ++counts_[endpoint];
    if (const auto found = scripts_.find(endpoint); found != scripts_.end()) scripted = found->second;
  }
  if (scripted) return scripted(request);
  const std::lock_guard lock{mutex_};
  if (endpoint == "auth" && request.method == "POST") return auth(request);
  if (endpoint == "attest" && request.method == "POST") return attest(request);
  if (endpoint == "resource" && request.method == "GET") return resource(request);
  return json_response(404,
                       ErrorInformation::make("PluginNotFound", "Plugin " + endpoint + " not found", "").serialize());
}

net::ServerResponse FakeBroker::auth(const net::ServerRequest& request) {
  const auto message = Request::parse(as_text(request.body));
  if (!message || message->version != protocol_version) {
    return json_response(401,
                         ErrorInformation::make("AttestationError",
                                                "Attestation error: RCAR handshake Auth failed: KBS Client Protocol "
                                                "Version Mismatch: expect =0.4.0 while the request is " +
                                                    (message ? message->version : "?"),
                                                "")
                             .serialize());
  }
  const auto id = "kbs-session-id=" + std::to_string(++next_session_);
  sessions_[id] = {};
  auto response = json_response(200, Challenge{nonce_for(id)}.serialize());
  response.headers.set("Set-Cookie", id + "; Expires=Fri, 02 Jan 2099 03:04:05 GMT");
  return response;
}

net::ServerResponse FakeBroker::attest(const net::ServerRequest& request) {
  const std::string cookie{request.headers.get("Cookie").value_or("")};
  const auto message = Attestation::parse(as_text(request.body));
  const auto session = sessions_.find(cookie);
  if (!message || session == sessions_.end() || message->nonce != nonce_for(cookie)) {
    return json_response(
        401,
        ErrorInformation::make("AttestationError", "Attestation error: RCAR handshake Attest failed", "").serialize());
  }
  last_attestation_ = *message;
  const auto now = to_unix_seconds(system_clock().now()) + clock_offset;
  session->second = {make_token(message->tee_pubkey, now, token_lifetime), json::serialize(message->tee_pubkey)};
  return json_response(200, AttestationResponse{session->second.token}.serialize());
}

net::ServerResponse FakeBroker::resource(const net::ServerRequest& request) {
  const std::string cookie{request.headers.get("Cookie").value_or("")};
  std::string bearer{request.headers.get("Authorization").value_or("")};
  last_credential_ = cookie.empty() ? bearer : cookie;
  std::string tee_pubkey;
  for (const auto& [id, session] : sessions_) {
    if (!session.token.empty() && (id == cookie || bearer == "Bearer " + session.token))
      tee_pubkey = session.tee_pubkey;
  }
  if (trusts_any_issuer && bearer.starts_with("Bearer ")) {
    tee_pubkey = json::serialize(*codec::jose::UnverifiedJwt::parse(bearer.substr(7))->claims.find("tee-pubkey"));
  }
  if (tee_pubkey.empty()) {
    return json_response(401, ErrorInformation::make("TokenNotFound", "Attestation Token not found", "").serialize());
  }
  const auto found = resources.find(request.path.substr(std::string_view{"/kbs/v0/resource/"}.size()));
  if (found == resources.end()) {
    return json_response(
        404,
        ErrorInformation::make("PluginInternalError", "no such resource", "broker.resource_not_found").serialize());
  }
  const auto jwk = codec::jose::parse_jwk(*json::parse(tee_pubkey));
  const auto algorithm = jwk->key.kind() == crypto::KeyKind::rsa ? codec::jose::KeyManagement::rsa_oaep_256
                                                                 : codec::jose::KeyManagement::ecdh_es_a256kw;
  return json_response(200, *codec::jose::encrypt_flattened(as_bytes(found->second), jwk->key, algorithm));
}

}  // namespace coffer::keyclient
