// Key encryption keys in the forms people store them.
#pragma once

#include "base/secret_bytes.h"
#include "image/error.h"

namespace coffer::image::ocicrypt {

inline constexpr std::size_t kek_size = 32;

// 32 raw bytes; or base64 or hex text of 32 bytes, white space around it allowed. kek_empty, kek_is_pem and
// kek_wrong_size say what else it was, without showing any of it.
Result<SecretBytes> parse_kek(ByteView stored);

}  // namespace coffer::image::ocicrypt
