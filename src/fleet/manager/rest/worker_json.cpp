// Workers as REST and the store show them.
#include "codec/base64.h"
#include "fleet/detail/members.h"
#include "fleet/manager/workers.h"
#include "fleet/telemetry.h"

namespace coffer::fleet::manager {
namespace {

using codec::json::Array;
using codec::json::Object;
using codec::json::Value;
using fleet::detail::Members;

void append_optional(Object& object, std::string_view key, const std::optional<std::string>& text) {
  if (text && !text->empty()) object.append(std::string{key}, *text);
}

Object metadata_json(const Discovery::Metadata& metadata) {
  Object object;
  append_optional(object, "description", metadata.description);
  if (!metadata.tags.empty()) object.append("tags", fleet::detail::text_array(metadata.tags));
  append_optional(object, "location", metadata.location);
  append_optional(object, "ip", metadata.ip);
  append_optional(object, "environment", metadata.environment);
  append_optional(object, "os", metadata.os);
  append_optional(object, "hostname", metadata.hostname);
  append_optional(object, "cpu_arch", metadata.cpu_arch);
  if (metadata.total_memory_bytes) object.append("total_memory_bytes", *metadata.total_memory_bytes);
  append_optional(object, "proplet_version", metadata.proplet_version);
  append_optional(object, "wasm_runtime", metadata.wasm_runtime);
  return object;
}

// What was verified, and what the worker merely says, apart.
Object coffer_json(const Worker& worker) {
  Object object;
  object.append("verified", worker.verified.has_value());
  if (worker.verified) {
    object.append("tee", worker.verified->tee);
    object.append("token_expires_at", format_rfc3339(worker.verified->token_expires));
    object.append("proven_at", format_rfc3339(worker.verified->proven_at));
  } else if (!worker.unproven.empty()) {
    object.append("unverified_because", worker.unproven);
  }
  if (worker.offline) object.append("offline", true);
  if (!worker.capabilities) return object;
  auto said = write_capabilities(*worker.capabilities);
  if (auto* members = said.if_object()) members->erase("attestation");  // tokens are nobody else's business
  object.append("says", std::move(said));
  return object;
}

Object property(std::string_view type, std::string_view description) {
  return Object{{"type", type}, {"description", description}, {"writable", false}};
}

}  // namespace

Object to_json(const Worker& worker, std::size_t task_count, bool alive) {
  Object object{{"id", worker.id}, {"name", worker.name}, {"task_count", task_count}, {"alive", alive}};
  if (const auto last = worker.last_alive()) object.append("last_alive_at", write_timestamp(*last));
  object.append("metadata", metadata_json(worker.metadata));
  object.append("coffer", coffer_json(worker));
  return object;
}

Object to_sdf(const Worker& worker) {
  const Object info{{"title", worker.name},
                    {"version", worker.metadata.proplet_version.value_or("")},
                    {"copyright", ""},
                    {"license", ""}};
  Object properties{{"alive", property("boolean", "whether it was heard of lately")},
                    {"task_count", property("integer", "tasks that it runs")}};
  for (const auto& tag : worker.metadata.tags)
    properties.set("tag:" + tag, property("boolean", "a tag of its owner's"));
  const Object input{{"type", "object"}};
  const Object actions{{"start", Object{{"description", "runs a task"}, {"sdfInputData", input}}},
                       {"stop", Object{{"description", "stops a task"}, {"sdfInputData", input}}},
                       {"invoke", Object{{"description", "calls a task that is latent"}, {"sdfInputData", input}}}};
  const Object events{{"result", Object{{"description", "what a task gave"}, {"sdfOutputData", input}}}};
  return Object{{"info", info},
                {"namespace", Object{{"proplet", "urn:uuid:" + worker.id}}},
                {"defaultNamespace", "proplet"},
                {"sdfThing", Object{{"proplet", Object{{"description", worker.metadata.description.value_or("")},
                                                       {"sdfProperty", properties},
                                                       {"sdfAction", actions},
                                                       {"sdfEvent", events}}}}}};
}

std::string to_document(const Worker& worker) {
  Array history;
  for (const auto at : worker.history) history.emplace_back(at.time_since_epoch().count());
  Discovery discovery{.proplet_id = worker.id, .name_space = worker.name_space, .metadata = worker.metadata};
  discovery.capabilities = worker.capabilities;
  if (discovery.capabilities) discovery.capabilities->attestation.reset();
  return codec::json::serialize(Object{{"discovery", fleet::to_json(discovery)},
                                       {"name", worker.name},
                                       {"offline", worker.offline},
                                       {"history", history}});
}

Result<Worker> parse_worker(std::string_view document) {
  const auto value = TRY(codec::json::parse(document));
  const auto* object = TRY(value.as_object("worker"));
  const Members members{*object, "worker"};
  const auto discovery = TRY(parse_discovery(TRY(members.text("discovery"))));
  Worker worker;
  worker.id = discovery.proplet_id;
  worker.name = TRY(members.text("name"));
  worker.name_space = discovery.name_space;
  worker.metadata = discovery.metadata;
  worker.capabilities = discovery.capabilities;
  worker.offline = TRY(members.flag("offline", false));
  worker.unproven = "it has proven nothing to this manager yet";
  const auto* history = members.find("history");
  const auto* times = history != nullptr ? history->if_array() : nullptr;
  for (const auto& at : times != nullptr ? *times : Array{}) {
    worker.history.push_back(TimePoint{Duration{at.if_int64().value_or(0)}});
  }
  return worker;
}

}  // namespace coffer::fleet::manager
