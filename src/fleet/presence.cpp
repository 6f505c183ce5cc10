#include "fleet/presence.h"

#include <array>

#include "fleet/detail/members.h"

namespace coffer::fleet {
namespace {

using codec::json::Object;
using codec::json::Value;
using detail::Members;
using Metadata = Discovery::Metadata;

struct TextMember {
  std::string_view key;
  std::optional<std::string> Metadata::* field;
};
// In the order of upstream's structure; "tags" and "total_memory_bytes" stand between them.
constexpr std::array<TextMember, 9> texts{{
    {"description", &Metadata::description},
    {"location", &Metadata::location},
    {"ip", &Metadata::ip},
    {"environment", &Metadata::environment},
    {"os", &Metadata::os},
    {"hostname", &Metadata::hostname},
    {"cpu_arch", &Metadata::cpu_arch},
    {"proplet_version", &Metadata::proplet_version},
    {"wasm_runtime", &Metadata::wasm_runtime},
}};

Result<Metadata> read_metadata(const Members& members) {
  const Object object = TRY(members.object("metadata"));
  const Members inner{object, "discovery.metadata"};
  Metadata metadata;
  for (const auto& [key, field] : texts) {
    std::string text = TRY(inner.line(key));
    if (!text.empty()) metadata.*field = std::move(text);
  }
  metadata.tags = TRY(inner.texts("tags"));
  metadata.total_memory_bytes = TRY(inner.optional_count("total_memory_bytes"));
  return metadata;
}

Object write_metadata(const Metadata& metadata) {
  Object object;
  for (const auto& [key, field] : texts) {
    if (key == "location" && !metadata.tags.empty()) object.append("tags", detail::text_array(metadata.tags));
    if (key == "proplet_version" && metadata.total_memory_bytes)
      object.append("total_memory_bytes", *metadata.total_memory_bytes);
    if (metadata.*field) object.append(std::string{key}, *(metadata.*field));
  }
  return object;
}

// What cannot be read proves nothing, but must not hide the worker from the manager either.
template <class Message>
void read_additions(const Members& members, Message& message) {
  const Value* value = members.find("coffer");
  if (value == nullptr) return;
  auto capabilities = read_capabilities(*value);
  if (capabilities)
    message.capabilities = std::move(*capabilities);
  else
    message.capabilities_error = std::move(capabilities.error());
}

}  // namespace

Result<Discovery> parse_discovery(std::string_view payload) {
  const Object object = TRY(detail::parse_object(payload));
  const Members members{object, "discovery"};
  Discovery discovery;
  discovery.proplet_id = TRY(members.identifier("proplet_id"));
  discovery.name_space = TRY(members.optional_identifier("namespace"));
  discovery.metadata = TRY(read_metadata(members));
  read_additions(members, discovery);
  return discovery;
}

Result<Alive> parse_alive(std::string_view payload) {
  const Object object = TRY(detail::parse_object(payload));
  const Members members{object, "alive"};
  Alive alive;
  alive.proplet_id = TRY(members.identifier("proplet_id"));
  alive.status = TRY(members.optional_identifier("status"));
  alive.name_space = TRY(members.optional_identifier("namespace"));
  read_additions(members, alive);
  return alive;
}

std::string to_json(const Discovery& discovery) {
  Object object{{"proplet_id", discovery.proplet_id},
                {"namespace", discovery.name_space},
                {"metadata", write_metadata(discovery.metadata)}};
  if (discovery.capabilities) object.append("coffer", write_capabilities(*discovery.capabilities));
  return codec::json::serialize(object);
}

std::string to_json(const Alive& alive) {
  Object object;
  object.append("proplet_id", alive.proplet_id);
  object.append("status", alive.status);
  detail::append_text(object, "namespace", alive.name_space);
  if (alive.capabilities) object.append("coffer", write_capabilities(*alive.capabilities));
  return codec::json::serialize(object);
}

}  // namespace coffer::fleet
