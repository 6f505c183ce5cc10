// Identities for a fleet on a broker of one's own: the shared config.toml, and the broker's password file.
#include <fcntl.h>

#include <CLI/CLI.hpp>
#include <cstring>
#include <filesystem>
#include <iostream>

#include "apps/coffer/fleet_commands.h"
#include "apps/coffer/output.h"
#include "base/file_descriptor.h"
#include "codec/base64.h"
#include "codec/toml.h"
#include "crypto/random.h"
#include "fleet/topics.h"

namespace coffer::cli {
namespace {

using codec::json::Array;
using codec::json::Object;

struct ProvisionOptions {
  std::string file = "config.toml", passwords, tenant, channel;
  unsigned proplets = 1;
};

struct Identity {
  std::string section, entity, key;
};

Identity new_identity(std::string section) {
  return {std::move(section), fleet::random_uuid(), codec::base64url_encode(crypto::system_random().bytes(32))};
}

std::string quoted(const std::string& text) {
  return codec::json::serialize(codec::json::Value{text});  // TOML's basic strings have JSON's escapes
}

std::string section_text(const Identity& identity, const ProvisionOptions& options) {
  return "[" + identity.section + "]\ntenant_id = " + quoted(options.tenant) +
         "\nentity_id = " + quoted(identity.entity) + "\napi_key = " + quoted(identity.key) +
         "\nchannel_id = " + quoted(options.channel) + "\n\n";
}

// Keys are in there: for their owner alone.
Result<> append_private(const std::string& path, const std::string& text) {
  const FileDescriptor file{::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600)};
  const bool written = file && ::write(file.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size());
  if (!written) return fail(CliError::file, path + " cannot be written: " + std::strerror(errno));
  return {};
}

Result<int> write(const FleetContext& context, const ProvisionOptions& options,
                  const std::vector<Identity>& identities) {
  std::string sections, users;
  Array shown;
  for (const auto& identity : identities) {
    sections += section_text(identity, options);
    users += identity.entity + ":" + identity.key + "\n";
    shown.push_back(Object{{"section", identity.section}, {"entity_id", identity.entity}});
  }
  TRY(append_private(options.file, sections));
  if (!options.passwords.empty()) TRY(append_private(options.passwords, users));
  const Object answer{
      {"file", options.file}, {"tenant_id", options.tenant}, {"channel_id", options.channel}, {"identities", shown}};
  std::string sentence = std::to_string(identities.size()) + " identities in " + options.file;
  if (!options.passwords.empty()) sentence += "; next: mosquitto_passwd -U " + options.passwords;
  return show(context, answer, sentence);
}

Result<int> provision(const FleetContext& context, ProvisionOptions options) {
  if (std::filesystem::exists(options.file))
    return fail(CliError::home_exists, options.file + " is there already; `provision add-proplets` adds workers to it");
  if (options.tenant.empty()) options.tenant = fleet::random_uuid();
  if (options.channel.empty()) options.channel = fleet::random_uuid();
  TRY(fleet::Topics::create(options.tenant, options.channel));
  std::vector<Identity> identities{new_identity("manager"), new_identity("proxy")};
  for (unsigned number = 1; number <= options.proplets; ++number)
    identities.push_back(new_identity(options.proplets == 1 ? "proplet" : "proplet" + std::to_string(number)));
  return write(context, options, identities);
}

// Adds sections to a file that has others, in their tenant and channel.
Result<int> add(const FleetContext& context, ProvisionOptions options, const std::string& kind, unsigned count) {
  const auto root = TRY(codec::parse_toml(to_text(TRY(read_file(options.file))), options.file));
  const auto* sections = root.if_object();
  for (const auto& [name, section] : *sections) {
    const auto* tenant = section.find("tenant_id") != nullptr ? section.find("tenant_id") : section.find("domain_id");
    const auto* channel = section.find("channel_id");
    if (tenant == nullptr || channel == nullptr) continue;
    options.tenant = TRY(tenant->as_string("tenant_id"));
    options.channel = TRY(channel->as_string("channel_id"));
  }
  if (options.tenant.empty())
    return fail(CliError::usage, options.file + " has no section with tenant_id and channel_id");
  std::vector<Identity> identities;
  for (unsigned number = 1; identities.size() < count; ++number) {
    const std::string name = kind == "proxy" ? kind : kind + std::to_string(number);
    if (!sections->contains(name))
      identities.push_back(new_identity(name));
    else if (kind == "proxy")
      return fail(CliError::home_exists, options.file + " has a section [proxy] already");
  }
  return write(context, options, identities);
}

void add_file_options(CLI::App& command, ProvisionOptions& options) {
  command.add_option("-f,--file", options.file, "the shared credential file")->capture_default_str();
  command.add_option("--passwords", options.passwords, "also lines USER:PASSWORD for mosquitto_passwd -U");
}

}  // namespace

void add_fleet_provision_commands(CLI::App& fleet, Commands& commands, const SharedFleet& context) {
  auto* command = fleet.add_subcommand("provision",
                                       "identities for manager, proxy and workers, without a question asked\n"
                                       "  coffer fleet provision init --proplets 3 --passwords passwords\n"
                                       "  coffer fleet provision add-proplets 2 --passwords passwords");
  command->require_subcommand(1);
  auto options = std::make_shared<ProvisionOptions>();
  auto* init = command->add_subcommand("init", "a new config.toml");
  add_file_options(*init, *options);
  init->add_option("--tenant-id", options->tenant, "of the topics (a new one)");
  init->add_option("--channel-id", options->channel, "of the topics (a new one)");
  init->add_option("--proplets", options->proplets, "how many workers")
      ->check(CLI::Range(0, 100'000))
      ->capture_default_str();
  commands.on(init, [context, options] { return provision(*context, *options); });

  auto* proplets = command->add_subcommand("add-proplets", "more workers in that file");
  add_file_options(*proplets, *options);
  auto count = std::make_shared<unsigned>(1);
  proplets->add_option("COUNT", *count, "how many")->check(CLI::Range(1, 100'000))->capture_default_str();
  commands.on(proplets, [context, options, count] { return add(*context, *options, "proplet", *count); });

  auto* proxy = command->add_subcommand("add-proxy", "a proxy in that file");
  add_file_options(*proxy, *options);
  commands.on(proxy, [context, options] { return add(*context, *options, "proxy", 1); });
}

}  // namespace coffer::cli
