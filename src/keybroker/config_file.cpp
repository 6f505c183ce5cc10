#include "keybroker/config_file.h"

#include "codec/toml.h"
#include "codec/yaml.h"
#include "keybroker/detail/config_sections.h"
#include "keybroker/key_files.h"

namespace coffer::keybroker {
namespace {

Result<codec::Document> parse_json_document(std::string_view text, std::string_view name) {
  auto root = codec::json::parse(text);
  if (!root) return fail(Error{root.error().code, std::string{name} + ": " + root.error().message});
  codec::Document document{.root = *std::move(root)};
  // JSON is YAML, whose parser knows lines; where it disagrees the errors come without a line.
  if (auto lines = codec::parse_yaml_document(text, name)) document.lines = std::move(lines->lines);
  return document;
}

Result<codec::Document> parse_document(std::string_view text, ConfigFormat format, std::string_view name) {
  switch (format) {
    case ConfigFormat::toml: return codec::parse_toml_document(text, name);
    case ConfigFormat::yaml: return codec::parse_yaml_document(text, name);
    case ConfigFormat::json: return parse_json_document(text, name);
  }
  return fail(BrokerError::config_syntax, "unknown format");
}

// Token trust comes before attestation: the oldest generation's default depends on it.
Result<> read_sections(detail::ConfigTable& root, Config& config) {
  TRY(detail::read_http(root, config.http));
  TRY(detail::read_admin(root, config.admin));
  TRY(detail::read_token_trust(root, config.token_trust));
  TRY(detail::read_attestation(root, config));
  TRY(detail::read_storage(root, config));
  TRY(detail::read_resources(root, config));
  TRY(detail::read_coffer(root, config.coffer));
  root.finish();
  return {};
}

}  // namespace

Result<Config> load_config(const std::filesystem::path& file) {
  const auto extension = file.extension().string();
  const bool yaml = extension == ".yaml" || extension == ".yml";
  const auto format = extension == ".json" ? ConfigFormat::json : yaml ? ConfigFormat::yaml : ConfigFormat::toml;
  return parse_config(TRY(read_text_file(file, "configuration")), format, file.string());
}

Result<Config> parse_config(std::string_view text, ConfigFormat format, std::string_view name) {
  auto document = parse_document(text, format, name);
  if (!document) return fail(BrokerError::config_syntax, document.error().message);
  detail::ConfigSource source{.name = std::string{name}, .document = *std::move(document)};
  auto root = TRY(detail::ConfigTable::root(source));
  Config config;
  TRY(read_sections(root, config));
  config.resources.max_resource_size = config.http.max_body_size;
  config.notices = std::move(source.notices);
  return config;
}

}  // namespace coffer::keybroker
