// What upstream has no endpoint for: the audit records, and what kind of broker this is.
#include <algorithm>

#include "base/version.h"
#include "keybroker/endpoints.h"

namespace coffer::keybroker::endpoints {
namespace {

namespace json = codec::json;

constexpr std::size_t default_records = 20;
constexpr std::size_t most_records = 1000;

}  // namespace

Result<net::ServerResponse> audit(const Call& call) {
  TRY(require_admin(call));
  const auto session = text_parameter(call, "session");
  const auto last = TRY(count_parameter(call, "last", default_records, most_records));
  return json_response(TRY(call.services.audit.query(session.empty() ? std::nullopt : std::optional{session}, last)));
}

Result<net::ServerResponse> info(const Call& call) {
  const auto& services = call.services;
  const auto& config = services.config;
  const auto& allowed = config.coffer.allow_tees;
  return json_response(json::Object{
      {"name", "coffer-kbs"},
      {"version", version()},
      {"protocol", keyclient::protocol_version},
      {"mode", name_of(services.mode())},
      {"attestation_service", services.attestation ? services.attestation->name() : std::string_view{"none"}},
      {"tees", json::Array{services.tees.begin(), services.tees.end()}},
      {"sample_accepted", std::ranges::find(allowed, "sample") != allowed.end()},
      {"unattested_reads", config.coffer.unattested_reads && services.mode() == Mode::no_trust_anchor},
      {"token_certificates", services.token_certificates}});
}

}  // namespace coffer::keybroker::endpoints
