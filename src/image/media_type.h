// What the media types of descriptors mean: OCI, Docker schema 2, and the three families of WASM images.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "image/error.h"

namespace coffer::image {

namespace media_type {
inline constexpr std::string_view oci_manifest = "application/vnd.oci.image.manifest.v1+json";
inline constexpr std::string_view oci_index = "application/vnd.oci.image.index.v1+json";
inline constexpr std::string_view oci_config = "application/vnd.oci.image.config.v1+json";
inline constexpr std::string_view oci_layer = "application/vnd.oci.image.layer.v1.tar";
inline constexpr std::string_view oci_layer_gzip = "application/vnd.oci.image.layer.v1.tar+gzip";
inline constexpr std::string_view oci_layer_zstd = "application/vnd.oci.image.layer.v1.tar+zstd";
inline constexpr std::string_view docker_manifest = "application/vnd.docker.distribution.manifest.v2+json";
inline constexpr std::string_view docker_list = "application/vnd.docker.distribution.manifest.list.v2+json";
inline constexpr std::string_view docker_config = "application/vnd.docker.container.image.v1+json";
inline constexpr std::string_view wasm_layer = "application/wasm";                              // CNCF wasm artifact
inline constexpr std::string_view wasm_config = "application/vnd.wasm.config.v0+json";          // CNCF wasm artifact
inline constexpr std::string_view wasm_content = "application/vnd.wasm.content.layer.v1+wasm";  // the fork, Krustlet
inline constexpr std::string_view wasm_content_config = "application/vnd.wasm.config.v1+json";
inline constexpr std::string_view encrypted_suffix = "+encrypted";
}  // namespace media_type

enum class Compression { none, gzip, zstd };
enum class LayerContent { tar, wasm };

struct LayerKind {
  LayerContent content;
  Compression compression;
  bool encrypted;
};

// Parameters ("; charset=...") are ignored. unsupported_media_type, naming it, for anything else.
Result<LayerKind> classify_layer(std::string_view type);
bool is_manifest(std::string_view type);
bool is_index(std::string_view type);
// A configuration blob of a WASM artifact, which has no rootfs.
bool is_wasm_config(std::string_view type);

// "X" to "X+encrypted" and back. Docker's layer types become OCI's twins, as Go's ocicrypt writes them.
std::string encrypted_type(std::string_view type);
std::string decrypted_type(std::string_view type);

}  // namespace coffer::image
