#include "keybroker/services.h"

#include <charconv>

#include "base/log.h"
#include "keybroker/refusal.h"

namespace coffer::keybroker {

Mode Services::mode() const {
  if (attestation) return Mode::background_check;
  return tokens.has_anchor() ? Mode::passport : Mode::no_trust_anchor;
}

Result<std::string> require_admin(const Call& call) {
  auto admin = call.services.admin->check(call.request.headers, call.route.path_and_query, call.services.clock.now());
  if (!admin) {
    record_denial(call, {.action = "admin", .resource = call.request.method + " " + call.route.path_and_query},
                  admin.error());
  }
  return admin;
}

Result<> record_admin(const Call& call, std::string_view action, const std::string& admin, std::string object) {
  log::info("broker.admin_action", {}, {{"action", std::string{action}}, {"admin", admin}, {"object", object}});
  TRY(call.services.audit.append({.action = std::string{action},
                                  .decision = Decision::done,
                                  .peer = call.request.peer,
                                  .admin = admin,
                                  .resource = std::move(object)}));
  return {};
}

void record_denial(const Call& call, AuditRecord record, const Error& error) {
  record.decision = Decision::denied;
  record.code = error.code.name();
  record.peer = call.request.peer;
  record.reason = to_string(error);
  const auto appended = call.services.audit.append(record);
  log::warn("broker.denied", shortened(owner_text(error)),
            {{"code", record.code},
             {"action", record.action},
             {"resource", shortened(record.resource)},
             {"peer", record.peer},
             {"audit", appended ? *appended : std::string{appended.error().code.name()}}});
}

Result<appraisal::AttestationService*> attestation_service(const Call& call) {
  if (call.services.attestation) return call.services.attestation.get();
  return fail(BrokerError::no_attestation_service,
              "Plugin " + call.route.endpoint() +
                  " not found: this broker has no attestation service; in passport mode "
                  "a guest attests to the issuer's broker and brings its token here");
}

std::string text_parameter(const Call& call, const std::string& name) {
  const auto found = call.route.query.find(name);
  return found == call.route.query.end() ? std::string{} : found->second;
}

Result<std::size_t> count_parameter(const Call& call, const std::string& name, std::size_t fallback,
                                    std::size_t maximum) {
  const auto text = text_parameter(call, name);
  if (text.empty()) return fallback;
  std::size_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc{} && end == text.data() + text.size() && value >= 1 && value <= maximum) return value;
  return fail(BrokerError::bad_request,
              name + ": expected a number from 1 to " + std::to_string(maximum) + ", found " + text);
}

net::ServerResponse json_response(const codec::json::Value& value) {
  return net::ServerResponse::text(200, "application/json", codec::json::serialize(value));
}

net::ServerResponse empty_response() {
  return net::ServerResponse::text(200, "text/xml", {});
}

}  // namespace coffer::keybroker
