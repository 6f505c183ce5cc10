#include "fleet/registry_messages.h"

#include "codec/base64.h"
#include "fleet/detail/members.h"

namespace coffer::fleet {
namespace {

using codec::json::Object;
using detail::Members;

Result<std::string> app_name(const Members& members) {
  auto name = TRY(members.line("app_name"));
  if (name.empty()) return fail(FleetError::missing_member, members.path("app_name") + ": expected a name, found none");
  return name;
}

Result<std::vector<ImageSignature>> read_signatures(const Members& members) {
  std::vector<ImageSignature> out;
  const auto* value = members.find("signatures");
  if (value == nullptr) return out;
  const auto* array = value->if_array();
  if (array == nullptr || array->size() > detail::max_entries) {
    return fail(members.bad("signatures", "an array of at most 1024 objects", *value));
  }
  for (const auto& entry : *array) {
    const auto* object = entry.if_object();
    if (object == nullptr) return fail(members.bad("signatures", "objects in it", entry));
    const Members signature{*object, "chunk.signatures"};
    ImageSignature read {
      .payload = TRY(signature.text("payload"))
    };
    read.annotations = TRY(signature.text_map("annotations"));
    out.push_back(std::move(read));
  }
  return out;
}

Result<> read_position(const Members& members, Chunk& chunk) {
  for (const std::string_view key : {"chunk_idx", "total_chunks", "data"})
    if (members.find(key) == nullptr)
      return fail(FleetError::missing_member, members.path(key) + ": expected a value, found none");
  chunk.index = TRY(members.count("chunk_idx"));
  chunk.total = TRY(members.count("total_chunks"));
  if (chunk.index >= chunk.total)
    return fail(FleetError::bad_chunk, "chunk.chunk_idx: expected less than the " + std::to_string(chunk.total) +
                                           " chunks in all, found " + std::to_string(chunk.index));
  auto data = TRY(members.base64("data"));
  chunk.data = std::move(*data);
  return {};
}

}  // namespace

Result<FetchRequest> parse_fetch_request(std::string_view payload) {
  const Object object = TRY(detail::parse_object(payload));
  FetchRequest request;
  request.app_name = TRY(app_name(Members{object, "fetch"}));
  request.traceparent = Members{object, "fetch"}.hint("traceparent");
  return request;
}

Result<Chunk> parse_chunk(std::string_view payload) {
  const Object object = TRY(detail::parse_object(payload));
  const Members members{object, "chunk"};
  Chunk chunk;
  chunk.app_name = TRY(app_name(members));
  const std::string error = TRY(members.text("error"));
  chunk.code = TRY(members.optional_identifier("code"));
  if (!error.empty()) {
    chunk.error = error;
    return chunk;
  }
  TRY(read_position(members, chunk));
  chunk.digest = TRY(members.optional_identifier("digest"));
  chunk.manifest = TRY(members.text("manifest"));
  chunk.config = TRY(members.text("config"));
  chunk.annotations = TRY(members.text_map("annotations"));
  chunk.signatures = TRY(read_signatures(members));
  return chunk;
}

std::string to_json(const FetchRequest& request) {
  Object object{{"app_name", request.app_name}};
  detail::append_text(object, "traceparent", request.traceparent);
  return codec::json::serialize(object);
}

// An error has none of the members that upstream's workers demand, so that they drop it as no chunk of theirs.
std::string to_json(const Chunk& chunk) {
  Object object{{"app_name", chunk.app_name}};
  if (chunk.error) {
    object.append("error", *chunk.error);
    detail::append_text(object, "code", chunk.code);
    return codec::json::serialize(object);
  }
  object.append("chunk_idx", chunk.index);
  object.append("total_chunks", chunk.total);
  object.append("data", codec::base64_encode(chunk.data));
  detail::append_text(object, "digest", chunk.digest);
  detail::append_text(object, "manifest", chunk.manifest);
  detail::append_text(object, "config", chunk.config);
  if (!chunk.annotations.empty()) object.append("annotations", detail::text_object(chunk.annotations));
  codec::json::Array signatures;
  for (const auto& signature : chunk.signatures) {
    signatures.emplace_back(
        Object{{"payload", signature.payload}, {"annotations", detail::text_object(signature.annotations)}});
  }
  if (!signatures.empty()) object.append("signatures", std::move(signatures));
  return codec::json::serialize(object);
}

}  // namespace coffer::fleet
