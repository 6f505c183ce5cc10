#include "evidence/external/settings.h"

#include "evidence/config_section.h"
#include "evidence/external/message.h"

namespace coffer::evidence::external {

namespace json = codec::json;

namespace {

constexpr auto verifier_section = "external_verifier";
constexpr auto attester_section = "external_attester";
constexpr std::uint64_t longest_timeout = 60'000;

std::unexpected<Error> bad_config(const std::string& what) {
  return fail(EvidenceError::bad_config, what);
}

Result<UnixSocket> read_socket(ConfigSection& section) {
  const auto path = TRY(section.text("socket"));
  if (!path || !path->starts_with('/')) return section.bad("socket", "an absolute path", path.value_or("nothing"));
  UnixSocket out{.path = *path};
  if (const auto timeout = TRY(section.number("timeout_ms", 1, longest_timeout))) {
    out.timeout = std::chrono::milliseconds(*timeout);
  }
  if (const auto peer = TRY(section.number("peer_uid", 0, 0xfffffffe))) out.peer = static_cast<uid_t>(*peer);
  return out;
}

Result<std::string> type_of(std::string_view name, const std::string& where) {
  auto type = parse_type(name);
  if (!type) return bad_config(where + ": " + type.error().message);
  return type;
}

Result<AttesterSocket> parse_environment(std::string_view text) {
  const auto equals = text.find('=');
  const std::string name = "COFFER_EXTERNAL_ATTESTER";
  if (equals == std::string_view::npos || text.substr(equals + 1, 1) != "/") {
    return bad_config(name + " is expected to be TYPE=PATH with an absolute path, found \"" + std::string{text} + "\"");
  }
  auto type = TRY(type_of(text.substr(0, equals), name));
  UnixSocket socket{.path = std::string{text.substr(equals + 1)}};
  return AttesterSocket{std::move(type), std::move(socket)};
}

}  // namespace

Result<std::map<std::string, UnixSocket>> read_verifiers(const json::Object& config) {
  std::map<std::string, UnixSocket> out;
  const auto* section = config.find(verifier_section);
  if (section == nullptr || section->is_null()) return out;
  const auto* types = section->if_object();
  if (types == nullptr) {
    return bad_config("the setting external_verifier is expected to be an object, found " +
                      std::string{section->type_name()});
  }
  for (const auto& [name, value] : *types) {
    const auto type = TRY(type_of(name, verifier_section));
    auto members = TRY(ConfigSection::open(*types, name));
    out.emplace(type, TRY(read_socket(members)));
    members.warn_of_unknown_keys();
  }
  return out;
}

Result<std::optional<AttesterSocket>> read_attester(const json::Object& config, const char* environment) {
  if (!config.contains(attester_section)) {
    if (environment == nullptr || *environment == '\0') return std::nullopt;
    return TRY(parse_environment(environment));
  }
  auto section = TRY(ConfigSection::open(config, attester_section));
  const auto name = TRY(section.text("type"));
  const auto type = TRY(type_of(name.value_or(""), attester_section));
  auto socket = TRY(read_socket(section));
  section.warn_of_unknown_keys();
  return AttesterSocket{type, std::move(socket)};
}

}  // namespace coffer::evidence::external
