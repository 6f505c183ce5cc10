// The key that a fleet's members share: a file for managers, a resource of the key broker for workers.
#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "apps/coffer/admin_client.h"
#include "apps/coffer/fleet/fleet_commands.h"
#include "apps/coffer/output.h"
#include "codec/resource_uri.h"
#include "fleet/config/variables.h"
#include "fleet/sealed/key_file.h"

namespace coffer::cli {
namespace {

using codec::json::Array;
using codec::json::Object;
using fleet::sealed::GroupKey;
using fleet::sealed::GroupKeys;

struct GroupKeyOptions {
  std::string file = "group-key.json";
  std::string resource = "default/fleet/group-key";
  std::string after = "15m";
  bool upload = false;
};

Result<> put_in_place(const GroupKeys& keys, const std::string& file) {
  const auto fresh = file + ".new";
  std::error_code error;
  std::filesystem::remove(fresh, error);
  TRY(write_file(fresh, keys.document().expose(), 0600));
  std::filesystem::rename(fresh, file, error);
  if (error) return fail(CliError::file, file + " cannot be written: " + error.message());
  return {};
}

Result<std::string> send(const FleetContext& context, const GroupKeys& keys, const GroupKeyOptions& options) {
  const auto uri = TRY(codec::ResourceUri::parse_any(options.resource));
  auto broker = TRY(AdminClient::create(context.global));
  TRY(broker.post("resource/" + uri.path(), keys.document().expose(), "application/octet-stream"));
  return uri.text();
}

// "waiting": it seals from active_at on; "seals": now; "opens": what is under way.
std::string_view use_of(const GroupKeys& keys, const GroupKey& key, TimePoint now) {
  if (keys.sending(now) == &key) return "seals";
  return key.active_at && *key.active_at > now ? "waiting" : "opens";
}

Array describe(const GroupKeys& keys) {
  Array list;
  const auto now = system_clock().now();
  for (const auto& key : keys.all()) {
    Object item{{"id", key.id}, {"use", use_of(keys, key, now)}};
    if (key.active_at) item.append("active_at", format_rfc3339(*key.active_at));
    list.emplace_back(std::move(item));
  }
  return list;
}

Result<int> finish(const FleetContext& context, const GroupKeys& keys, const GroupKeyOptions& options,
                   std::string sentence) {
  Object answer{{"file", options.file}, {"keys", describe(keys)}};
  if (options.upload) {
    const auto resource = TRY(send(context, keys, options));
    answer.append("resource", resource);
    sentence += ", and " + resource;
  } else {
    sentence += "; next: coffer fleet group-key upload --file " + options.file;
  }
  return show(context, answer, sentence);
}

Result<int> create_keys(const FleetContext& context, const GroupKeyOptions& options) {
  if (std::filesystem::exists(options.file)) {
    return fail(CliError::key_exists, options.file + " is there already; `group-key rotate` adds a key to it");
  }
  const auto keys = GroupKeys::create(system_clock().now());
  TRY(put_in_place(keys, options.file));
  return finish(context, keys, options, "the key " + keys.all()[0].id + " is in " + options.file);
}

Result<int> rotate_keys(const FleetContext& context, const GroupKeyOptions& options) {
  const auto after = fleet::parse_duration(options.after);
  if (!after) return fail(CliError::usage, "--after is \"" + options.after + "\"; expected a duration such as 15m");
  auto keys = TRY(fleet::sealed::read_key_file(options.file));
  const auto now = system_clock().now();
  keys.rotate(now, now + *after);
  TRY(put_in_place(keys, options.file));
  const auto& key = keys.all().front();
  return finish(
      context, keys, options,
      "the key " + key.id + " seals from " + format_rfc3339(*key.active_at) + " on; it is in " + options.file);
}

Result<int> upload_keys(const FleetContext& context, const GroupKeyOptions& options) {
  const auto keys = TRY(fleet::sealed::read_key_file(options.file));
  const auto resource = TRY(send(context, keys, options));
  return show(context, Object{{"resource", resource}, {"keys", describe(keys)}},
              resource + " has the " + std::to_string(keys.all().size()) + " keys of " + options.file);
}

Result<int> list_keys(const FleetContext& context, const GroupKeyOptions& options) {
  const auto keys = TRY(fleet::sealed::read_key_file(options.file));
  if (context.global.json) {
    print_json(Object{{"file", options.file}, {"keys", describe(keys)}});
    return 0;
  }
  Table table({"KEY", "USE", "SEALS FROM"});
  const auto now = system_clock().now();
  for (const auto& key : keys.all()) {
    table.add({key.id, std::string{use_of(keys, key, now)}, key.active_at ? format_rfc3339(*key.active_at) : "-"});
  }
  table.print("no keys");
  return 0;
}

using SharedOptions = std::shared_ptr<GroupKeyOptions>;

void add_options(CLI::App& command, GroupKeyOptions& options) {
  command.add_option("-f,--file", options.file, "the managers' file, for its owner alone")->capture_default_str();
}

void add_upload_options(CLI::App& command, GroupKeyOptions& options) {
  command.add_flag("--upload", options.upload, "give the keys to the key broker, too");
  command.add_option("--resource", options.resource, "under this name")->capture_default_str();
}

}  // namespace

void add_fleet_group_key_commands(CLI::App& fleet, Commands& commands, const SharedFleet& context) {
  auto* group = fleet.add_subcommand("group-key",
                                     "the key that seals a fleet's MQTT payloads\n"
                                     "  coffer fleet group-key create --file group-key.json --upload\n"
                                     "  coffer fleet group-key rotate --file group-key.json --after 15m --upload\n"
                                     "  coffer fleet group-key list --file group-key.json");
  group->require_subcommand(1);
  const auto options = std::make_shared<GroupKeyOptions>();
  const auto add = [&](const char* name, const char* help, auto work, bool uploads) {
    auto* command = group->add_subcommand(name, help);
    add_options(*command, *options);
    if (uploads) add_upload_options(*command, *options);
    commands.on(command, [context, options, work] { return work(*context, *options); });
    return command;
  };
  add("create", "a first key, in a new file", create_keys, true);
  auto* rotate = add("rotate", "a further key, which takes over after a while", rotate_keys, true);
  rotate->add_option("--after", options->after, "time for workers to fetch it, before it seals")->capture_default_str();
  auto* upload = add("upload", "give the file's keys to the key broker", upload_keys, false);
  upload->add_option("--resource", options->resource, "under this name")->capture_default_str();
  add("list", "which keys there are, and which one seals; no secrets", list_keys, false);
}

}  // namespace coffer::cli
