// YAML as JSON values: the part of it that configuration files use. Anchors, aliases, tags and several documents are
// refused, duplicate keys too; plain scalars follow YAML 1.2's core schema.
#pragma once

#include <string_view>

#include "codec/document.h"

namespace coffer::codec {

enum class YamlError { syntax, too_large, too_deep, duplicate_key, not_supported };
std::string_view code_name(YamlError code);

inline constexpr std::size_t max_yaml_size = 1U << 20;  // bytes of text

// Errors begin "file_name:line: ". An empty document is an empty object.
Result<Document> parse_yaml_document(std::string_view text, std::string_view file_name);

}  // namespace coffer::codec
