#include "image/media_type.h"

#include <algorithm>
#include <array>

namespace coffer::image {
namespace {

struct Row {
  std::string_view type;
  LayerContent content;
  Compression compression;
};

// Base types; each may carry "+encrypted". Docker's plain tar and zstd forms are what some builders write.
constexpr std::array<Row, 18> rows{{
    {"application/vnd.oci.image.layer.v1.tar", LayerContent::tar, Compression::none},
    {"application/vnd.oci.image.layer.v1.tar+gzip", LayerContent::tar, Compression::gzip},
    {"application/vnd.oci.image.layer.v1.tar+zstd", LayerContent::tar, Compression::zstd},
    {"application/vnd.oci.image.layer.nondistributable.v1.tar", LayerContent::tar, Compression::none},
    {"application/vnd.oci.image.layer.nondistributable.v1.tar+gzip", LayerContent::tar, Compression::gzip},
    {"application/vnd.oci.image.layer.nondistributable.v1.tar+zstd", LayerContent::tar, Compression::zstd},
    {"application/vnd.docker.image.rootfs.diff.tar", LayerContent::tar, Compression::none},
    {"application/vnd.docker.image.rootfs.diff.tar.gzip", LayerContent::tar, Compression::gzip},
    {"application/vnd.docker.image.rootfs.diff.tar+gzip", LayerContent::tar, Compression::gzip},
    {"application/vnd.docker.image.rootfs.diff.tar.zstd", LayerContent::tar, Compression::zstd},
    {"application/vnd.docker.image.rootfs.diff.tar+zstd", LayerContent::tar, Compression::zstd},
    {"application/vnd.docker.image.rootfs.foreign.diff.tar", LayerContent::tar, Compression::none},
    {"application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", LayerContent::tar, Compression::gzip},
    {"application/wasm", LayerContent::wasm, Compression::none},
    {"application/vnd.wasm.content.layer.v1+wasm", LayerContent::wasm, Compression::none},
    {"application/vnd.module.wasm.content.layer.v1+wasm", LayerContent::wasm, Compression::none},
    {"application/vnd.bytecodealliance.wasm.component.layer.v0+wasm", LayerContent::wasm, Compression::none},
    {"application/vnd.w3c.wasm.module.v1+wasm", LayerContent::wasm, Compression::none},
}};

std::string_view without_parameters(std::string_view type) {
  type = type.substr(0, type.find(';'));
  while (type.ends_with(' ')) type.remove_suffix(1);
  return type;
}

// What Docker's layer types become when they are encrypted: Go's ocicrypt writes OCI manifests only.
std::string_view oci_twin(std::string_view type) {
  if (!type.starts_with("application/vnd.docker.image.rootfs.")) return type;
  if (type.ends_with("gzip")) return media_type::oci_layer_gzip;
  return type.ends_with("zstd") ? media_type::oci_layer_zstd : media_type::oci_layer;
}

}  // namespace

Result<LayerKind> classify_layer(std::string_view type) {
  auto base = without_parameters(type);
  const bool encrypted = base.ends_with(media_type::encrypted_suffix);
  if (encrypted) base.remove_suffix(media_type::encrypted_suffix.size());
  const auto row = std::ranges::find(rows, base, &Row::type);
  if (row == rows.end()) {
    return fail(ImageError::unsupported_media_type, "a layer has the media type \"" + std::string{type.substr(0, 200)} +
                                                        "\", which is not a known layer type");
  }
  return LayerKind{row->content, row->compression, encrypted};
}

bool is_manifest(std::string_view type) {
  type = without_parameters(type);
  return type == media_type::oci_manifest || type == media_type::docker_manifest;
}

bool is_index(std::string_view type) {
  type = without_parameters(type);
  return type == media_type::oci_index || type == media_type::docker_list;
}

bool is_wasm_config(std::string_view type) {
  type = without_parameters(type);
  return type.starts_with("application/") && type.find("wasm") != std::string_view::npos;
}

std::string encrypted_type(std::string_view type) {
  type = without_parameters(type);
  if (type.ends_with(media_type::encrypted_suffix)) return std::string{type};
  return std::string{oci_twin(type)} + std::string{media_type::encrypted_suffix};
}

std::string decrypted_type(std::string_view type) {
  type = without_parameters(type);
  if (!type.ends_with(media_type::encrypted_suffix)) return std::string{type};
  type.remove_suffix(media_type::encrypted_suffix.size());
  return std::string{oci_twin(type)};
}

}  // namespace coffer::image
