// Firmware's strings. What it logs is rarely checked by anyone before us, so nothing is taken to be well-formed.
#pragma once

#include <string>
#include <string_view>

#include "base/bytes.h"

namespace coffer::evidence::eventlog {

// UTF-16LE as UTF-8; lone surrogates become U+FFFD, a last odd byte is left out.
std::string from_utf16le(ByteView text);
bool is_utf8(std::string_view text);
// Each byte that begins no UTF-8 character becomes U+FFFD.
std::string repaired_utf8(std::string_view text);

// "61dfe48b-ca93-d211-aa0d-00e098032b8c": the bytes in their order, as upstream names variables.
std::string plain_guid(ByteView guid);
// "8BE4DF61-93CA-11D2-AA0D-00E098032B8C": as UEFI writes them (RFC 4122 with three little-endian fields).
std::string uefi_guid(ByteView guid);

}  // namespace coffer::evidence::eventlog
