#include "fleet/config/identity.h"

#include <array>
#include <fstream>
#include <iterator>

#include "codec/toml.h"

namespace coffer::fleet {
namespace {

// Current and older name of one value; lower case in the file, upper case behind the prefix in the environment.
struct Name {
  const char *variable, *older_variable, *key, *older_key;
};
constexpr std::array names{
    Name{"TENANT_ID", "DOMAIN_ID", "tenant_id", "domain_id"}, Name{"CHANNEL_ID", nullptr, "channel_id", nullptr},
    Name{"ENTITY_ID", "CLIENT_ID", "entity_id", "client_id"}, Name{"API_KEY", "CLIENT_KEY", "api_key", "client_key"}};

using Values = std::map<std::string, std::string>;

Values from_variables(const Variables& variables) {
  Values values;
  for (const auto& name : names) {
    auto value = variables.find(name.variable);
    if (!value && name.older_variable != nullptr) value = variables.find(name.older_variable);
    if (value) values[name.key] = std::move(*value);
  }
  return values;
}

Result<std::string> read_file(const std::filesystem::path& path) {
  std::ifstream stream(path, std::ios::binary);
  if (!stream) return fail(ConfigError::unreadable, "the configuration file " + path.string() + " cannot be opened");
  std::string text{std::istreambuf_iterator<char>{stream}, {}};
  if (text.size() <= codec::max_toml_size) return text;
  return fail(ConfigError::unreadable, "the configuration file " + path.string() + " is over 1 MiB");
}

Result<> add_from_file(const IdentityFile& file, Values& values) {
  std::error_code failure;
  if (!file.named && !std::filesystem::exists(file.path, failure)) return {};
  const auto text = TRY(read_file(file.path));
  auto read = TRY(parse_identity_file(text, file.path.string(), file.section));
  for (auto& [key, value] : read) {
    if (file.overwrites || values[key].empty()) values[key] = std::move(value);
  }
  return {};
}

// Several workers of one file have sections [proplet1], [proplet2] and so on.
std::string sections_of(const codec::json::Value& root) {
  std::string list;
  for (const auto& [name, value] : *root.if_object()) {
    if (value.is_object()) list += (list.empty() ? " but " : ", ") + ("[" + name + "]");
  }
  return list.empty() ? list : list + " (workers and proxies: CONFIG_SECTION chooses)";
}

Result<> check_complete(const Variables& variables, const IdentityFile& file, const Values& values) {
  std::string missing;
  for (const auto& name : names) {
    if (const auto found = values.find(name.key); found != values.end() && !found->second.empty()) continue;
    missing += (missing.empty() ? "" : ", ") + variables.name_of(name.variable);
  }
  if (missing.empty()) return {};
  return fail(ConfigError::missing, "nothing says " + missing + "; set them, or put a section [" + file.section +
                                        "] into " + file.path.string());
}

}  // namespace

Result<Values> parse_identity_file(std::string_view text, std::string_view file_name, const std::string& section) {
  const auto root = TRY(codec::parse_toml(text, file_name));
  const auto* table = root.find(section);
  if (table == nullptr || !table->is_object()) {
    return fail(ConfigError::unreadable,
                std::string{file_name} + " has no section [" + section + "]" + sections_of(root));
  }
  Values values;
  for (const auto& name : names) {
    const auto* value = table->find(name.key);
    if (value == nullptr && name.older_key != nullptr) value = table->find(name.older_key);
    if (value == nullptr) continue;
    const auto* entry = value->if_string();
    if (entry == nullptr) {
      return fail(ConfigError::unreadable, std::string{file_name} + ": [" + section + "] " + name.key + " is a " +
                                               std::string{value->type_name()} + ", expected a string");
    }
    values[name.key] = *entry;
  }
  return values;
}

Result<Identity> read_identity(const Variables& variables, const IdentityFile& file) {
  auto values = from_variables(variables);
  if (values.size() < names.size()) TRY(add_from_file(file, values));
  TRY(check_complete(variables, file, values));
  return Identity{.tenant = values["tenant_id"],
                  .channel = values["channel_id"],
                  .entity = values["entity_id"],
                  .api_key = SecretBytes::copy_of(values["api_key"])};
}

}  // namespace coffer::fleet
