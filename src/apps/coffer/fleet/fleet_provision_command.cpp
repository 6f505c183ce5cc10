// Identities for a fleet, in the shared config.toml: for a broker of one's own, with its password file, or made at
// Atom.
#include <fcntl.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <iostream>

#include "apps/coffer/fleet/atom_provision.h"
#include "apps/coffer/fleet/fleet_commands.h"
#include "apps/coffer/output.h"
#include "apps/coffer/silent_terminal.h"
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
  // With a user everything is made at Atom.
  std::string user, password_file, authority, tenant_name, channel_name, manager_name, proxy_name;
  bool at_atom() const { return !user.empty(); }
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

std::string generated_name(std::string_view kind) {
  return std::string{kind} + "-" + codec::hex_encode(crypto::system_random().bytes(4));
}

std::string or_generated(const std::string& name, std::string_view kind) {
  return name.empty() ? generated_name(kind) : name;
}

// What is typed at a terminal, unseen.
Result<SecretBytes> ask_password() {
  const SilentTerminal silent;
  if (!silent)
    return fail(CliError::usage, "Atom's password is expected in COFFER_ATOM_PASSWORD, or --password-file FILE");
  std::cerr << "Atom's password: " << std::flush;
  std::string line;
  std::getline(std::cin, line);
  std::cerr << std::endl;
  auto password = SecretBytes::copy_of(std::string_view{line});
  wipe({reinterpret_cast<std::byte*>(line.data()), line.size()});
  return password;
}

Result<SecretBytes> read_password(const ProvisionOptions& options) {
  const char* variable = std::getenv("COFFER_ATOM_PASSWORD");
  if (options.password_file.empty() && variable != nullptr) return SecretBytes::copy_of(std::string_view{variable});
  if (options.password_file.empty()) return ask_password();
  auto password = TRY(read_secret_file(options.password_file));
  auto text = as_text(password.expose());
  while (text.ends_with('\n') || text.ends_with('\r')) text.remove_suffix(1);
  password.truncate(text.size());
  return password;
}

std::vector<std::string> proplet_sections(unsigned count) {
  std::vector<std::string> sections;
  for (unsigned number = 1; number <= count; ++number)
    sections.push_back(count == 1 ? "proplet" : "proplet" + std::to_string(number));
  return sections;
}

// Makes the plan come true at Atom, then writes the file that says so.
Result<int> provision_at_atom(const FleetContext& context, ProvisionOptions options, const std::string& kind,
                              AtomPlan plan) {
  auto work = TRY(AtomProvision::begin(std::move(plan), options.file + ".atom-" + kind));
  if (work.resumed()) std::cerr << "going on where an earlier run broke off" << std::endl;
  AtomLogin login{.url = context.atom_url, .user = options.user};
  login.password = TRY(read_password(options));
  login.authority = options.authority;
  auto atom = TRY(AtomClient::login(std::move(login)));
  TRY(work.run(atom));
  options.tenant = work.plan().tenant;
  options.channel = work.plan().channel;
  std::vector<Identity> identities;
  for (const auto& member : work.plan().members) identities.push_back({member.section, member.entity, member.key});
  const int status = TRY(write(context, options, identities));
  work.forget();
  return status;
}

AtomPlan whole_plan(const ProvisionOptions& options) {
  AtomPlan plan{.tenant_name = or_generated(options.tenant_name, "tenant"),
                .channel_name = or_generated(options.channel_name, "channel"),
                .tenant = options.tenant,
                .channel = options.channel};
  plan.members.push_back({.section = "manager", .name = or_generated(options.manager_name, "manager")});
  for (auto& section : proplet_sections(options.proplets))
    plan.members.push_back({.section = std::move(section), .name = generated_name("proplet")});
  plan.members.push_back({.section = "proxy", .name = or_generated(options.proxy_name, "proxy")});
  return plan;
}

Result<int> provision(const FleetContext& context, ProvisionOptions options) {
  if (std::filesystem::exists(options.file))
    return fail(CliError::home_exists, options.file + " is there already; `provision add-proplets` adds workers to it");
  if (options.at_atom()) return provision_at_atom(context, options, "init", whole_plan(options));
  if (options.tenant.empty()) options.tenant = fleet::random_uuid();
  if (options.channel.empty()) options.channel = fleet::random_uuid();
  TRY(fleet::Topics::create(options.tenant, options.channel));
  std::vector<Identity> identities{new_identity("manager"), new_identity("proxy")};
  for (auto& section : proplet_sections(options.proplets)) identities.push_back(new_identity(std::move(section)));
  return write(context, options, identities);
}

std::string ask(const std::string& question) {
  std::cerr << question << ": " << std::flush;
  std::string answer;
  std::getline(std::cin, answer);
  return answer;
}

// `provision` alone, as upstream's: at Atom; what was not given is asked for at a terminal.
Result<int> provision_as_upstream(const FleetContext& context, ProvisionOptions options) {
  if (!options.at_atom()) {
    if (::isatty(STDIN_FILENO) != 1)
      return fail(CliError::usage, "expected `provision init`, or --user NAME for identities made at Atom");
    options.user = ask("Atom's user name or e-mail address");
    if (!options.at_atom()) return fail(CliError::usage, "a user name is expected");
    if (options.tenant_name.empty()) options.tenant_name = ask("Tenant (empty: a new one)");
    if (options.channel_name.empty()) options.channel_name = ask("Channel (empty: a new name)");
    const auto count = ask("How many workers (1)");
    options.proplets = 1;
    const auto [end, code] = std::from_chars(count.data(), count.data() + count.size(), options.proplets);
    if (!count.empty() && (code != std::errc{} || end != count.data() + count.size() || options.proplets > 100'000))
      return fail(CliError::usage, "a number of workers is expected, found \"" + count + "\"");
  }
  return provision(context, std::move(options));
}

// The names of `count` sections that are not there yet; the tenant and channel of those that are.
Result<std::vector<std::string>> read_sections(ProvisionOptions& options, const std::string& kind, unsigned count) {
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
  std::vector<std::string> names;
  for (unsigned number = 1; names.size() < count; ++number) {
    auto name = kind == "proxy" ? kind : kind + std::to_string(number);
    if (!sections->contains(name))
      names.push_back(std::move(name));
    else if (kind == "proxy")
      return fail(CliError::home_exists, options.file + " has a section [proxy] already");
  }
  return names;
}

// Adds sections to a file that has others, in their tenant and channel.
Result<int> add(const FleetContext& context, ProvisionOptions options, const std::string& kind, unsigned count) {
  auto names = TRY(read_sections(options, kind, count));
  if (options.at_atom()) {
    AtomPlan plan{.tenant = options.tenant, .channel = options.channel};
    for (auto& section : names) {
      const auto& wanted = kind == "proxy" ? options.proxy_name : std::string{};
      plan.members.push_back({.section = std::move(section), .name = or_generated(wanted, kind)});
    }
    return provision_at_atom(context, options, kind, std::move(plan));
  }
  std::vector<Identity> identities;
  for (auto& section : names) identities.push_back(new_identity(std::move(section)));
  return write(context, options, identities);
}

void add_file_options(CLI::App& command, ProvisionOptions& options) {
  command.add_option("-f,--file,--file-name", options.file, "the shared credential file")->capture_default_str();
  command.add_option("--passwords", options.passwords, "also lines USER:PASSWORD for mosquitto_passwd -U");
  command.add_option("--user", options.user, "make them at Atom (-a URL), as this user or e-mail address");
  command
      .add_option("--password-file", options.password_file,
                  "its password; otherwise COFFER_ATOM_PASSWORD, or asked at a terminal")
      ->needs("--user");
  command.add_option("--atom-ca", options.authority, "PEM certificate authority of an https Atom")->needs("--user");
}

void add_count_option(CLI::App& init, ProvisionOptions& options) {
  init.add_option("--proplets", options.proplets, "how many workers")
      ->check(CLI::Range(0, 100'000))
      ->capture_default_str();
}

void add_name_options(CLI::App& init, ProvisionOptions& options) {
  const auto name = [&](const char* flag, std::string& value, const char* help) {
    init.add_option(flag, value, help)->needs("--user");
  };
  name("--tenant-name", options.tenant_name, "at Atom: one of that name, or a new one (a new name)");
  name("--channel-name", options.channel_name, "at Atom (a new name)");
  name("--manager-name", options.manager_name, "at Atom (a new name)");
  name("--proxy-name", options.proxy_name, "at Atom (a new name)");
}

}  // namespace

void add_fleet_provision_commands(CLI::App& fleet, Commands& commands, const SharedFleet& context) {
  auto* command =
      fleet.add_subcommand("provision",
                           "identities for manager, proxy and workers, without a question asked; without a\n"
                           "subcommand at Atom, as Propeller's own\n"
                           "  coffer fleet provision init --proplets 3 --passwords passwords\n"
                           "  coffer fleet provision add-proplets 2 --passwords passwords\n"
                           "  coffer fleet -a https://atom:8080 provision init --user admin --proplets 3");
  command->require_subcommand(0, 1);
  auto options = std::make_shared<ProvisionOptions>();
  auto* init = command->add_subcommand("init", "a new config.toml");
  add_file_options(*init, *options);
  add_name_options(*init, *options);
  init->add_option("--tenant-id", options->tenant, "of the topics (a new one)");
  init->add_option("--channel-id", options->channel, "of the topics (a new one)");
  add_count_option(*init, *options);
  commands.on(init, [context, options] { return provision(*context, *options); });

  auto* proplets = command->add_subcommand("add-proplets", "more workers in that file");
  add_file_options(*proplets, *options);
  auto count = std::make_shared<unsigned>(1);
  proplets->add_option("COUNT", *count, "how many")->check(CLI::Range(1, 100'000))->capture_default_str();
  commands.on(proplets, [context, options, count] { return add(*context, *options, "proplet", *count); });

  auto* proxy = command->add_subcommand("add-proxy", "a proxy in that file");
  add_file_options(*proxy, *options);
  proxy->add_option("--proxy-name", options->proxy_name, "at Atom (a new name)")->needs("--user");
  commands.on(proxy, [context, options] { return add(*context, *options, "proxy", 1); });

  add_file_options(*command, *options);
  add_name_options(*command, *options);
  add_count_option(*command, *options);
  commands.on(command, [context, options] { return provision_as_upstream(*context, *options); });  // after the others
}

}  // namespace coffer::cli
