#include "image/error.h"

namespace coffer::image {

std::string_view code_name(ImageError code) {
  switch (code) {
    case ImageError::bad_reference: return "image.bad_reference";
    case ImageError::bad_digest: return "image.bad_digest";
    case ImageError::bad_manifest: return "image.bad_manifest";
    case ImageError::unsupported_media_type: return "image.unsupported_media_type";
    case ImageError::no_layers: return "image.no_layers";
    case ImageError::layer_count_mismatch: return "image.layer_count_mismatch";
    case ImageError::no_matching_platform: return "image.no_matching_platform";
    case ImageError::limit_exceeded: return "image.limit_exceeded";
    case ImageError::unauthorized: return "image.unauthorized";
    case ImageError::forbidden: return "image.forbidden";
    case ImageError::not_found: return "image.not_found";
    case ImageError::rate_limited: return "image.rate_limited";
    case ImageError::registry_unavailable: return "image.registry_unavailable";
    case ImageError::registry_protocol: return "image.registry_protocol";
    case ImageError::incomplete: return "image.incomplete";
    case ImageError::bad_auth_config: return "image.bad_auth_config";
    case ImageError::bad_layout: return "image.bad_layout";
    case ImageError::digest_mismatch: return "image.digest_mismatch";
    case ImageError::size_mismatch: return "image.size_mismatch";
    case ImageError::diff_id_mismatch: return "image.diff_id_mismatch";
    case ImageError::hmac_mismatch: return "image.hmac_mismatch";
    case ImageError::not_encrypted: return "image.not_encrypted";
    case ImageError::missing_annotation: return "image.missing_annotation";
    case ImageError::bad_annotation: return "image.bad_annotation";
    case ImageError::unsupported_cipher: return "image.unsupported_cipher";
    case ImageError::no_key: return "image.no_key";
    case ImageError::kek_empty: return "image.kek_empty";
    case ImageError::kek_wrong_size: return "image.kek_wrong_size";
    case ImageError::kek_is_pem: return "image.kek_is_pem";
    case ImageError::unwrap_failed: return "image.unwrap_failed";
    case ImageError::bad_signing_key: return "image.bad_signing_key";
    case ImageError::signature_missing: return "image.signature_missing";
    case ImageError::signature_invalid: return "image.signature_invalid";
    case ImageError::signature_mismatch: return "image.signature_mismatch";
    case ImageError::keyless_signature: return "image.keyless_signature";
    case ImageError::bad_signature_payload: return "image.bad_signature_payload";
    case ImageError::bad_compression: return "image.bad_compression";
    case ImageError::truncated: return "image.truncated";
    case ImageError::bad_tar: return "image.bad_tar";
    case ImageError::bad_path: return "image.bad_path";
    case ImageError::link_escape: return "image.link_escape";
    case ImageError::device_node: return "image.device_node";
    case ImageError::no_module: return "image.no_module";
    case ImageError::several_modules: return "image.several_modules";
    case ImageError::bad_module: return "image.bad_module";
    case ImageError::io: return "image.io";
  }
  return "image.unknown";
}

}  // namespace coffer::image
