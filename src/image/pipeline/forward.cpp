#include "image/pipeline/forward.h"

#include <algorithm>
#include <array>

namespace coffer::image {

bool is_content_error(const Error& error) {
  using enum ImageError;
  static constexpr std::array codes{bad_compression, truncated,       bad_tar,          bad_path,    link_escape,
                                    device_node,     bad_module,      diff_id_mismatch, no_module,   several_modules,
                                    hmac_mismatch,   digest_mismatch, size_mismatch,    bad_manifest};
  return std::ranges::any_of(codes, [&](ImageError code) { return error.code == ErrorCode{code}; });
}

Result<> Forward::write(ByteView data) {
  if (!kept_) return {};
  auto result = next_.write(data);
  if (!result && is_content_error(result.error())) {
    kept_ = std::move(result);
    return {};
  }
  return result;
}

Result<> Forward::finish() {
  return kept_ ? next_.finish() : kept_;
}

}  // namespace coffer::image
