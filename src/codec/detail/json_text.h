// The pieces that plain and canonical serialisation share.
#pragma once

#include <string>
#include <string_view>

namespace coffer::codec::json::detail {

// `text` in quotes with the escapes of RFC 8785 section 3.2.2.2: the short ones where JSON has them, \u00xx in lower
// case for the other control characters, nothing else. Bytes that are no UTF-8 become U+FFFD.
void append_string(std::string& out, std::string_view text);

// ECMAScript's Number::toString (ECMA-262 section 6.1.6.1.20) of a finite number: "1e+21", "0.000001", "-5".
std::string ecmascript_number(double number);

}  // namespace coffer::codec::json::detail
