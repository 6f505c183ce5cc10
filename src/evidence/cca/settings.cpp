#include "evidence/cca/settings.h"

#include <cstdlib>
#include <fstream>
#include <iterator>

#include "base/log.h"

namespace coffer::evidence::cca {

namespace json = codec::json;

namespace {

constexpr auto section_name = "cca_verifier";

std::unexpected<Error> bad(const std::filesystem::path& file, const std::string& reason) {
  return fail(EvidenceError::bad_config, "CCA_CONFIG_FILE " + file.string() + ": " + reason);
}

Result<json::Value> read_json(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in) return bad(file, "it cannot be read");
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  auto value = json::parse(text);
  if (!value) return bad(file, value.error().message);
  return value;
}

}  // namespace

Result<Settings> read_upstream_config(const std::filesystem::path& file) {
  const auto config = TRY(read_json(file));
  const auto* verifier = config.find("cca-verifier");
  const auto* type = verifier == nullptr ? nullptr : verifier->find("type");
  if (type == nullptr || type->if_string() == nullptr) return bad(file, "\"cca-verifier\" has no \"type\"");
  if (*type->if_string() != "local") {
    return bad(file, "the type \"" + type->if_string()->substr(0, 64) +
                         "\" is not supported here: only \"local\" is, whose ta-store holds the platforms' keys");
  }
  const auto* store = verifier->find("ta-store");
  if (store == nullptr || store->if_string() == nullptr) return bad(file, "\"ta-store\" is missing");
  if (verifier->find("rv-store") != nullptr) {
    log::warn("evidence.unused_setting", "reference values come from the reference value service; rv-store is not read",
              {{"file", file.string()}});
  }
  auto keys = TRY(arm::read_trusted_keys(*store->if_string()));
  return Settings{.trusted_keys = std::move(keys)};
}

Result<Settings> read_settings(const json::Object& config) {
  const char* upstream = std::getenv("CCA_CONFIG_FILE");
  if (!config.contains(section_name) && upstream != nullptr) return read_upstream_config(upstream);
  auto section = TRY(ConfigSection::open(config, section_name));
  Settings settings;
  settings.trusted_keys = TRY(arm::trusted_keys_of(section, section_name));
  settings.allow_unsecured = TRY(section.flag("allow_unsecured", false));
  section.warn_of_unknown_keys();
  return settings;
}

}  // namespace coffer::evidence::cca
