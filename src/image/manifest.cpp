#include "image/manifest.h"

#include <sys/utsname.h>

#include <algorithm>
#include <functional>

namespace coffer::image {
namespace json = codec::json;
namespace {

// Every complaint about a document becomes one code; the sentence keeps what was wrong.
template <class T>
Result<T> as_manifest_error(Result<T> result) {
  if (result) return result;
  return fail(ImageError::bad_manifest, std::move(result).error().message);
}

Result<json::Value> parse_document(ByteView text, std::size_t max_size, std::string_view what) {
  if (text.size() > max_size) {
    return fail(ImageError::limit_exceeded, std::string{what} + " has " + std::to_string(text.size()) +
                                                " bytes, over the limit of " + std::to_string(max_size));
  }
  auto value = TRY(as_manifest_error(json::parse(as_text(text), {.max_size = max_size, .max_depth = 32})));
  if (!value.is_object()) return fail(ImageError::bad_manifest, std::string{what} + " is not a JSON object");
  return value;
}

Result<Annotations> parse_annotations(const json::Object& object, std::string_view what) {
  Annotations out;
  const auto* member = object.find("annotations");
  if (member == nullptr || member->is_null()) return out;
  for (const auto& [key, value] : *TRY(as_manifest_error(member->as_object(what)))) {
    out.emplace(key, TRY(as_manifest_error(value.as_string(std::string{what} + ".annotations." + key))));
  }
  return out;
}

json::Object annotations_json(const Annotations& annotations) {
  json::Object out;
  for (const auto& [key, value] : annotations) out.set(key, value);
  return out;
}

std::string text_member(const json::Object& object, std::string_view key) {
  const auto* value = object.find(key);
  const auto* text = value == nullptr ? nullptr : value->if_string();
  return text == nullptr ? std::string{} : *text;
}

std::optional<Platform> parse_platform(const json::Object& object) {
  const auto* value = object.find("platform");
  const auto* platform = value == nullptr ? nullptr : value->if_object();
  if (platform == nullptr) return std::nullopt;
  return Platform{text_member(*platform, "os"), text_member(*platform, "architecture"),
                  text_member(*platform, "variant")};
}

Result<> check_schema(const json::Object& object, std::string_view what) {
  const auto* version = object.find("schemaVersion");
  if (version == nullptr || version->if_int64() != 2) {
    return fail(ImageError::bad_manifest, std::string{what} + " has no schemaVersion 2");
  }
  return {};
}

// image-spec 1.1: mediaType should be there; where it is, it must agree with what the transport said is stored.
Result<std::string> document_type(const json::Object& object, std::string_view hint, bool (*fits)(std::string_view),
                                  std::string_view fallback, std::string_view what) {
  auto type = text_member(object, "mediaType");
  if (type.empty()) type = fits(hint) ? std::string{hint} : std::string{fallback};
  if (!fits(type)) {
    return fail(ImageError::unsupported_media_type, std::string{what} + " says that it is \"" + type + "\"");
  }
  return type;
}

Result<std::vector<Descriptor>> parse_descriptors(const json::Array& array, std::size_t max, std::string_view what) {
  if (array.size() > max) {
    return fail(ImageError::limit_exceeded, std::string{what} + " has " + std::to_string(array.size()) +
                                                " entries, over the limit of " + std::to_string(max));
  }
  std::vector<Descriptor> out;
  out.reserve(array.size());
  for (const auto& value : array) {
    out.push_back(TRY(Descriptor::parse(value, std::string{what} + "[" + std::to_string(out.size()) + "]")));
  }
  return out;
}

Result<std::vector<Digest>> parse_digests(const json::Object& object, std::string_view key) {
  std::vector<Digest> out;
  const auto* value = object.find(key);
  if (value == nullptr || value->is_null()) return out;
  const auto* array = TRY(as_manifest_error(value->as_array(key)));
  if (array->size() > max_layers) return fail(ImageError::limit_exceeded, "the configuration lists over 1024 layers");
  for (const auto& item : *array) {
    out.push_back(TRY(as_manifest_error(Digest::parse(TRY(as_manifest_error(item.as_string(key)))))));
  }
  return out;
}

std::vector<std::string> texts(const json::Object& object, std::string_view key) {
  std::vector<std::string> out;
  const auto* value = object.find(key);
  const auto* array = value == nullptr ? nullptr : value->if_array();
  if (array == nullptr) return out;
  for (const auto& item : *array) {
    if (const auto* text = item.if_string()) out.push_back(*text);
  }
  return out;
}

std::string machine_architecture() {
  utsname names{};
  uname(&names);
  const std::string_view machine = names.machine;
  if (machine == "x86_64") return "amd64";
  return machine == "aarch64" ? "arm64" : std::string{machine};
}

bool is_wasm_platform(const Platform& platform) {
  return platform.architecture == "wasm" || platform.architecture == "wasm32" || platform.os.starts_with("wasi");
}

}  // namespace

Platform Platform::host() {
  return {"linux", machine_architecture(), {}};
}

std::string Platform::text() const {
  return os + "/" + architecture + (variant.empty() ? "" : "/" + variant);
}

Result<Descriptor> Descriptor::parse(const json::Value& value, std::string_view what) {
  const auto& object = *TRY(as_manifest_error(value.as_object(what)));
  const auto* size_member = object.find("size");
  const auto size = size_member != nullptr ? size_member->if_uint64() : std::nullopt;
  if (!size) {
    return fail(ImageError::bad_manifest, std::string{what} + ".size is missing or no byte count");
  }
  const auto type = TRY(as_manifest_error(json::string_member(object, "mediaType", what)));
  const auto digest_text = TRY(as_manifest_error(json::string_member(object, "digest", what)));
  auto digest = TRY(as_manifest_error(Digest::parse(digest_text)));
  auto annotations = TRY(parse_annotations(object, what));
  return Descriptor{.media_type = std::string{type},
                    .digest = std::move(digest),
                    .size = *size,
                    .annotations = std::move(annotations),
                    .platform = parse_platform(object)};
}

json::Object Descriptor::to_json() const {
  json::Object out{{"mediaType", media_type}, {"digest", digest.text()}, {"size", size}};
  if (platform) {
    json::Object p{{"architecture", platform->architecture}, {"os", platform->os}};
    if (!platform->variant.empty()) p.set("variant", platform->variant);
    out.set("platform", std::move(p));
  }
  if (!annotations.empty()) out.set("annotations", annotations_json(annotations));
  return out;
}

Result<Manifest> Manifest::parse(ByteView text, std::string_view media_type_hint) {
  const auto document = TRY(parse_document(text, max_manifest_size, "the manifest"));
  const auto& object = *document.if_object();
  TRY(check_schema(object, "the manifest"));
  auto type = TRY(document_type(object, media_type_hint, is_manifest, media_type::oci_manifest, "the manifest"));
  const auto* config = object.find("config");
  if (config == nullptr) return fail(ImageError::bad_manifest, "the manifest has no config");
  const auto* layers = object.find("layers");
  if (layers == nullptr || !layers->is_array() || layers->if_array()->empty()) {
    return fail(ImageError::no_layers, "the manifest has no layers, so there is nothing to unpack or run");
  }
  auto config_descriptor = TRY(Descriptor::parse(*config, "config"));
  auto layer_list = TRY(parse_descriptors(*layers->if_array(), max_layers, "layers"));
  auto annotations = TRY(parse_annotations(object, "manifest"));
  return Manifest{.media_type = std::move(type),
                  .artifact_type = text_member(object, "artifactType"),
                  .config = std::move(config_descriptor),
                  .layers = std::move(layer_list),
                  .annotations = std::move(annotations)};
}

std::string Manifest::to_json() const {
  json::Object out{{"schemaVersion", 2}, {"mediaType", media_type}};
  if (!artifact_type.empty()) out.set("artifactType", artifact_type);
  out.set("config", config.to_json());
  json::Array list;
  for (const auto& layer : layers) list.emplace_back(layer.to_json());
  out.set("layers", std::move(list));
  if (!annotations.empty()) out.set("annotations", annotations_json(annotations));
  return json::serialize(out);
}

Result<Index> Index::parse(ByteView text, std::string_view media_type_hint) {
  const auto document = TRY(parse_document(text, max_manifest_size, "the index"));
  const auto& object = *document.if_object();
  TRY(check_schema(object, "the index"));
  auto type = TRY(document_type(object, media_type_hint, is_index, media_type::oci_index, "the index"));
  const auto& list = *TRY(as_manifest_error(json::array_member(object, "manifests", "index")));
  auto entries = TRY(parse_descriptors(list, max_index_entries, "manifests"));
  return Index{std::move(type), std::move(entries)};
}

std::string Index::to_json() const {
  json::Array list;
  for (const auto& entry : manifests) list.emplace_back(entry.to_json());
  return json::serialize(json::Object{{"schemaVersion", 2}, {"mediaType", media_type}, {"manifests", std::move(list)}});
}

Result<Descriptor> Index::choose(const Platform& wanted, bool prefer_wasm) const {
  // Attestation manifests, which buildkit puts beside an image, have the platform unknown/unknown.
  const auto unknown = [](const Descriptor& d) { return d.platform && d.platform->os == "unknown"; };
  const auto is_wasm = [](const Descriptor& d) { return d.platform && is_wasm_platform(*d.platform); };
  const auto fits = [&](const Descriptor& d) {
    return d.platform && d.platform->os == wanted.os && d.platform->architecture == wanted.architecture &&
           (wanted.variant.empty() || d.platform->variant == wanted.variant);
  };
  const auto wasm = std::ranges::find_if(manifests, is_wasm), native = std::ranges::find_if(manifests, fits);
  if (wasm != manifests.end() && (prefer_wasm || native == manifests.end())) return *wasm;
  if (native != manifests.end()) return *native;
  if (std::ranges::count_if(manifests, std::not_fn(unknown)) == 1) return *std::ranges::find_if_not(manifests, unknown);
  std::string offered;
  for (const auto& entry : manifests) {
    if (entry.platform && !unknown(entry)) offered += (offered.empty() ? "" : ", ") + entry.platform->text();
  }
  return fail(ImageError::no_matching_platform,
              "the index has no image for " + wanted.text() + ", only for: " + (offered.empty() ? "nothing" : offered));
}

Result<ImageConfig> ImageConfig::parse(ByteView text, std::string_view media_type) {
  ImageConfig out;
  // An artifact may have the empty configuration, or one of a type that is none of ours.
  const bool image = media_type == media_type::oci_config || media_type == media_type::docker_config;
  if (!image && !is_wasm_config(media_type)) return out;
  if (text.empty() && !image) return out;
  const auto document = TRY(parse_document(text, max_config_size, "the configuration"));
  const auto& object = *document.if_object();
  out.os = text_member(object, "os");
  out.architecture = text_member(object, "architecture");
  out.layer_digests = TRY(parse_digests(object, "layerDigests"));
  if (const auto* rootfs = object.find("rootfs"); rootfs != nullptr && !rootfs->is_null()) {
    out.diff_ids = TRY(parse_digests(*TRY(as_manifest_error(rootfs->as_object("rootfs"))), "diff_ids"));
    out.has_rootfs = true;
  }
  if (const auto* run = object.find("config"); run != nullptr && run->is_object()) {
    const auto& section = *run->if_object();
    out.env = texts(section, "Env");
    out.entrypoint = texts(section, "Entrypoint");
    out.command = texts(section, "Cmd");
    out.working_dir = text_member(section, "WorkingDir");
    out.user = text_member(section, "User");
  }
  return out;
}

Result<> check_layer_counts(const Manifest& manifest, const ImageConfig& config) {
  const auto mismatch = [&](std::string_view what, std::size_t count) {
    return fail(ImageError::layer_count_mismatch, "the manifest has " + std::to_string(manifest.layers.size()) +
                                                      " layers and the configuration has " + std::to_string(count) +
                                                      " " + std::string{what});
  };
  if (!config.diff_ids.empty() && config.diff_ids.size() != manifest.layers.size()) {
    return mismatch("diff_ids", config.diff_ids.size());
  }
  if (!config.layer_digests.empty() && config.layer_digests.size() != manifest.layers.size()) {
    return mismatch("layerDigests", config.layer_digests.size());
  }
  if (!config.diff_ids.empty()) return {};
  // WASM blobs need no diff_id, their own digest says as much; a tar would be unpacked unchecked.
  for (const auto& layer : manifest.layers) {
    if (TRY(classify_layer(layer.media_type)).content == LayerContent::tar) return mismatch("diff_ids", 0);
  }
  return {};
}

bool has_encrypted_layer(const Manifest& manifest) {
  return std::ranges::any_of(manifest.layers, [](const Descriptor& layer) {
    const auto kind = classify_layer(layer.media_type);
    return kind && kind->encrypted;
  });
}

}  // namespace coffer::image
