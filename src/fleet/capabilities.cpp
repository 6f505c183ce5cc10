#include "fleet/capabilities.h"

#include "fleet/detail/members.h"
#include "fleet/telemetry.h"

namespace coffer::fleet {
namespace {

using codec::json::Object;
using codec::json::Value;
using detail::Members;

Result<std::optional<Capabilities::Tee>> read_tee(const Members& members) {
  if (members.find("tee") == nullptr) return std::optional<Capabilities::Tee>{};
  const Object object = TRY(members.object("tee"));
  const Members inner{object, "coffer.tee"};
  Capabilities::Tee tee;
  tee.type = TRY(inner.identifier("type"));
  tee.simulated = TRY(inner.flag("simulated", false));
  return std::optional{std::move(tee)};
}

Result<std::optional<TimePoint>> read_expiry(const Members& members) {
  const std::string text = TRY(members.line("expires_at"));
  if (text.empty()) return std::optional<TimePoint>{};
  auto time = parse_rfc3339(text);
  if (!time) return fail(FleetError::bad_member, members.path("expires_at") + ": " + time.error().message);
  return std::optional{*time};
}

Result<std::optional<Capabilities::Attestation>> read_attestation(const Members& members) {
  if (members.find("attestation") == nullptr) return std::optional<Capabilities::Attestation>{};
  const Object object = TRY(members.object("attestation"));
  const Members inner{object, "coffer.attestation"};
  Capabilities::Attestation attestation;
  attestation.token = TRY(inner.text("token"));
  if (attestation.token.empty())
    return fail(FleetError::missing_member, "coffer.attestation.token: expected a token, found none");
  attestation.expires_at = TRY(read_expiry(inner));
  attestation.proof = TRY(inner.text("proof"));
  return std::optional{std::move(attestation)};
}

Object write_attestation(const Capabilities::Attestation& attestation) {
  Object object{{"token", attestation.token}};
  if (attestation.expires_at) object.append("expires_at", write_timestamp(*attestation.expires_at));
  detail::append_text(object, "proof", attestation.proof);
  return object;
}

}  // namespace

Result<Capabilities> read_capabilities(const Value& value) {
  const Object* object = value.if_object();
  if (object == nullptr)
    return fail(FleetError::bad_member, "coffer: expected an object, found " + std::string{value.type_name()});
  const Members members{*object, "coffer"};
  Capabilities capabilities;
  const auto version = TRY(members.count("version", 1));
  if (version < 1 || version > 1'000'000)
    return fail(members.bad("version", "a version from 1 on", *members.find("version")));
  capabilities.version = static_cast<std::int64_t>(version);
  capabilities.tee = TRY(read_tee(members));
  capabilities.attestation = TRY(read_attestation(members));
  capabilities.runtimes = TRY(members.texts("runtimes"));
  capabilities.memory_bytes = TRY(members.count("memory_bytes"));
  capabilities.memory_available_bytes = TRY(members.count("memory_available_bytes"));
  capabilities.running_tasks = TRY(members.count("running_tasks"));
  capabilities.max_tasks = TRY(members.count("max_tasks"));
  capabilities.tags = TRY(members.texts("tags"));
  return capabilities;
}

Value write_capabilities(const Capabilities& capabilities) {
  Object object{{"version", capabilities.version}};
  if (capabilities.tee)
    object.append("tee", Object{{"type", capabilities.tee->type}, {"simulated", capabilities.tee->simulated}});
  if (capabilities.attestation) object.append("attestation", write_attestation(*capabilities.attestation));
  object.append("runtimes", detail::text_array(capabilities.runtimes));
  object.append("memory_bytes", capabilities.memory_bytes);
  object.append("memory_available_bytes", capabilities.memory_available_bytes);
  object.append("running_tasks", capabilities.running_tasks);
  object.append("max_tasks", capabilities.max_tasks);
  object.append("tags", detail::text_array(capabilities.tags));
  return object;
}

}  // namespace coffer::fleet
