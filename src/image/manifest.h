// Manifests, indexes and configurations (OCI image specification v1.1; Docker schema 2 of the same shape). Parsing is
// sans-I/O and bounded; counts are checked here, so that nobody indexes past an end later.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "codec/json.h"
#include "image/digest.h"
#include "image/media_type.h"

namespace coffer::image {

inline constexpr std::size_t max_manifest_size = 4U << 20;  // as registries commonly bound it
inline constexpr std::size_t max_config_size = 8U << 20;
inline constexpr std::size_t max_layers = 1024;
inline constexpr std::size_t max_index_entries = 1024;

using Annotations = std::map<std::string, std::string>;

struct Platform {
  std::string os = "linux";
  std::string architecture = "amd64";
  std::string variant{};

  // Of the machine this runs on.
  static Platform host();
  std::string text() const;  // "linux/amd64"
};

struct Descriptor {
  std::string media_type;
  Digest digest;
  std::uint64_t size = 0;
  Annotations annotations{};
  std::optional<Platform> platform{};

  static Result<Descriptor> parse(const codec::json::Value& value, std::string_view what);
  codec::json::Object to_json() const;
};

struct Manifest {
  std::string media_type;
  std::string artifact_type{};
  Descriptor config;
  std::vector<Descriptor> layers;
  Annotations annotations{};

  // no_layers where the list is empty. `media_type` from the transport is used where the document names none.
  static Result<Manifest> parse(ByteView text, std::string_view media_type_hint);
  std::string to_json() const;
};

struct Index {
  std::string media_type;
  std::vector<Descriptor> manifests;

  static Result<Index> parse(ByteView text, std::string_view media_type_hint);
  std::string to_json() const;
  // A WASM entry (architecture "wasm" or "wasm32") and the entry for `wanted`, whichever is preferred first; a single
  // entry is taken as it is. Attestation manifests (os "unknown") are passed over.
  Result<Descriptor> choose(const Platform& wanted, bool prefer_wasm = true) const;
};

// The part of a configuration that running and unpacking need.
struct ImageConfig {
  std::string os{}, architecture{};
  std::vector<Digest> diff_ids{};       // of the uncompressed layers, in order; empty for artifacts
  bool has_rootfs = false;              // false for WASM artifacts
  std::vector<Digest> layer_digests{};  // CNCF wasm config: plaintext layers
  std::vector<std::string> env{}, entrypoint{}, command{};
  std::string working_dir{}, user{};

  static Result<ImageConfig> parse(ByteView text, std::string_view media_type);
};

// layer_count_mismatch unless every layer has its diff_id, or the image is a WASM artifact without any.
Result<> check_layer_counts(const Manifest& manifest, const ImageConfig& config);

// True where any layer is encrypted, by its media type.
bool has_encrypted_layer(const Manifest& manifest);

}  // namespace coffer::image
