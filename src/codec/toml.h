// TOML 1.0 as JSON values, so that configuration files and init-data are read by one set of accessors.
#pragma once

#include <string_view>

#include "codec/document.h"

namespace coffer::codec {

enum class TomlError { syntax, too_large, too_deep, bad_number };
std::string_view code_name(TomlError code);

inline constexpr std::size_t max_toml_size = 1U << 20;  // bytes of text

// The document's root table as an object. Integers stay integers; dates and times become strings in RFC 3339's
// spelling; nan and infinities, which JSON lacks, are bad_number. `file_name` stands in errors, which begin
// "file_name:line:column: ".
Result<json::Value> parse_toml(std::string_view text, std::string_view file_name);

// The same with the line of each member.
Result<Document> parse_toml_document(std::string_view text, std::string_view file_name);

}  // namespace coffer::codec
