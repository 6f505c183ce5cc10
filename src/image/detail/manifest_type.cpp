#include "image/detail/manifest_type.h"

namespace coffer::image {

Result<std::string> manifest_type(ByteView content, std::string_view transport_type) {
  const auto known = [](std::string_view type) { return is_manifest(type) || is_index(type); };
  const auto document = codec::json::parse(as_text(content), {.max_size = max_manifest_size, .max_depth = 32});
  if (!document || !document->is_object()) return fail(ImageError::bad_manifest, "the manifest is not a JSON object");
  const auto* type = document->find("mediaType");
  if (type != nullptr && type->is_string()) {
    if (known(*type->if_string())) return *type->if_string();
    return fail(ImageError::unsupported_media_type, "the reference names something of type \"" +
                                                        type->if_string()->substr(0, 200) + "\", which is no image");
  }
  if (known(transport_type)) return std::string{transport_type.substr(0, transport_type.find(';'))};
  if (document->find("manifests") != nullptr) return std::string{media_type::oci_index};
  if (document->find("config") != nullptr) return std::string{media_type::oci_manifest};
  return fail(ImageError::unsupported_media_type,
              "the reference names something that is neither an image manifest nor an index");
}

}  // namespace coffer::image
