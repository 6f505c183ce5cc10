// RFC 4648. Formats are picky about the flavour, so each has its own name. Decoding is strict: no white space, no
// missing or superfluous padding, no stray bits in the last symbol.
#pragma once

#include <string>

#include "base/bytes.h"
#include "base/result.h"
#include "base/secret_bytes.h"

namespace coffer::codec {

enum class TextError { bad_base64, bad_hex };
std::string_view code_name(TextError code);

std::string base64_encode(ByteView data);            // section 4, padded
std::string base64url_encode(ByteView data);         // section 5, no padding
std::string base64url_encode_padded(ByteView data);  // section 5, padded (Azure)

Result<Bytes> base64_decode(std::string_view text);
Result<Bytes> base64url_decode(std::string_view text);
// Either alphabet, padded or not: only where upstream versions differ.
Result<Bytes> base64_decode_lenient(std::string_view text);
// As base64_decode_lenient, without a copy left behind on the heap.
Result<SecretBytes> base64_decode_secret(ByteView text);

// As base64url_decode, without a copy left behind on the heap.
Result<SecretBytes> base64url_decode_secret(ByteView text);

std::string hex_encode(ByteView data);            // lower case
Result<Bytes> hex_decode(std::string_view text);  // either case
Result<SecretBytes> hex_decode_secret(ByteView text);

}  // namespace coffer::codec
