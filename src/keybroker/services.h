// What the endpoints of one broker share.
#pragma once

#include <memory>
#include <string>

#include "appraisal/attestation_service.h"
#include "keybroker/admin_access.h"
#include "keybroker/audit.h"
#include "keybroker/broker.h"
#include "keybroker/broker_metrics.h"
#include "keybroker/issued_tokens.h"
#include "keybroker/resource_policies.h"
#include "keybroker/resources.h"
#include "keybroker/route.h"
#include "keybroker/session_store.h"
#include "keybroker/token_access.h"

namespace coffer::keybroker {

struct Services {
  const Clock& clock;
  crypto::RandomSource& random;
  std::shared_ptr<storage::KeyValueStore> store;
  std::shared_ptr<appraisal::AttestationService> attestation;  // none: passport, or no trust anchor
  std::vector<std::string> tees;                               // that a built-in attestation service accepts
  std::string token_certificates;                              // PEM of a built-in service's signer
  SessionStore sessions;
  IssuedTokens issued;
  AuditLog audit;
  std::unique_ptr<AdminAccess> admin;
  std::unique_ptr<ResourcePolicies> policies;
  Resources resources;
  TokenAccess tokens;
  HttpMetrics http_metrics;
  HandshakeMetrics handshake_metrics;
  ResourceMetrics resource_metrics;
  std::unique_ptr<net::MetricsRegistry> metrics;
  Config config;

  Mode mode() const;
};

// One request on its way through the broker.
struct Call {
  Services& services;
  const net::ServerRequest& request;
  const Route& route;
};

// What an endpoint is: a success, or an Error of BrokerError for refusal.h.
using Endpoint = Result<net::ServerResponse> (*)(const Call&);

// The administrator's name; a denial is recorded.
Result<std::string> require_admin(const Call& call);
// Records an administrative action that succeeded.
Result<> record_admin(const Call& call, std::string_view action, const std::string& admin, std::string object);
// Records a denial; a failing audit log is logged and does not change the answer.
void record_denial(const Call& call, AuditRecord record, const Error& error);

// no_attestation_service (404, as upstream's build without one answers) where there is none.
Result<appraisal::AttestationService*> attestation_service(const Call& call);

// A query parameter, empty where it is absent.
std::string text_parameter(const Call& call, const std::string& name);
// A number from 1 to `maximum`; bad_request for anything else.
Result<std::size_t> count_parameter(const Call& call, const std::string& name, std::size_t fallback,
                                    std::size_t maximum);

net::ServerResponse json_response(const codec::json::Value& value);
// 200 with upstream's empty "text/xml" body of writes.
net::ServerResponse empty_response();

}  // namespace coffer::keybroker
