#include <unistd.h>

#include <CLI/CLI.hpp>
#include <iostream>

#include "apps/coffer/admin_client.h"
#include "apps/coffer/broker_key_source.h"
#include "apps/coffer/context.h"
#include "apps/coffer/output.h"
#include "codec/resource_uri.h"
#include "crypto/random.h"

namespace coffer::cli {
namespace {

using codec::json::Array;
using codec::json::Object;
using codec::json::Value;

struct SetOptions {
  std::string path;
  std::size_t random = 0;
  std::string file;
};

Result<SecretBytes> content_of(const SetOptions& options) {
  if (options.random > 0 && !options.file.empty()) return fail(CliError::usage, "give --random or --file, not both");
  if (options.random > 0) return crypto::system_random().secret(options.random);
  if (options.file.empty())
    return fail(CliError::usage, "give the content: --random BYTES or --file FILE (- is standard input)");
  auto content = TRY(read_secret_file(options.file, 2U << 20));
  if (content.empty()) return fail(CliError::usage, options.file + " is empty; an empty resource opens nothing");
  return content;
}

Result<int> set_resource(const Context& context, const SetOptions& options) {
  const auto path = TRY(codec::ResourceUri::parse_any(options.path))
  .path();
  const auto content = TRY(content_of(options));
  auto broker = TRY(AdminClient::create(context));
  TRY(broker.post("resource/" + path, content.expose(), "application/octet-stream"));
  if (context.json) {
    print_json(Object{{"resource", "kbs:///" + path}, {"size", content.size()}});
  } else {
    std::cout << "set kbs:///" << path << " (" << content.size() << " bytes)" << std::endl;
  }
  return 0;
}

Result<int> list_resources(const Context& context) {
  auto broker = TRY(AdminClient::create(context));
  const auto answer = TRY(broker.get_json("resources"));
  if (context.json) {
    print_json(answer);
    return 0;
  }
  Table table({"RESOURCE"});
  for (const auto& item : *TRY(answer.as_array("resources"))) {
    table.add({"kbs:///" + std::string{TRY(item.as_string("resources[]"))}});
  }
  table.print("no resources; `coffer resource set default/key/k1 --random 32` makes one");
  return 0;
}

Result<int> delete_resource(const Context& context, const std::string& text) {
  const auto path = TRY(codec::ResourceUri::parse_any(text))
  .path();
  auto broker = TRY(AdminClient::create(context));
  TRY(broker.remove("resource/" + path));
  if (context.json) {
    print_json(Object{{"deleted", "kbs:///" + path}});
  } else {
    std::cout << "deleted kbs:///" << path << std::endl;
  }
  return 0;
}

struct GetOptions {
  std::string path, output;
  AttestOptions attest;
};

// The owner's own machine asks as a guest would: by attesting.
Result<int> get_resource(const Context& context, const GetOptions& options) {
  if (options.output.empty() && ::isatty(STDOUT_FILENO) == 1) {
    return fail(CliError::not_a_terminal,
                "a resource may be a key, so it is not shown on a terminal; name a file with --output");
  }
  const auto uri = TRY(codec::ResourceUri::parse_any(options.path));
  auto attested = TRY(Attested::create(context, options.attest));
  const auto content = TRY(attested->resources().fetch(uri));
  if (!options.output.empty()) {
    TRY(write_file(options.output, content.expose(), 0600));
    return 0;
  }
  std::cout.write(reinterpret_cast<const char*>(content.expose().data()), static_cast<std::streamsize>(content.size()));
  std::cout.flush();
  return 0;
}

void add_set(CLI::App& resource, Commands& commands) {
  auto* set = resource.add_subcommand("set", "store a resource\n  coffer resource set default/key/k1 --random 32");
  auto options = std::make_shared<SetOptions>();
  set->add_option("PATH", options->path, "repository/type/tag, or kbs:///repository/type/tag")->required();
  set->add_option("--random", options->random, "this many random bytes")->check(CLI::Range(1, 1 << 20));
  set->add_option("--file", options->file, "the content of a file; - is standard input");
  commands.on(set, [&commands, options] { return set_resource(commands.context(), *options); });
}

void add_get(CLI::App& resource, Commands& commands) {
  auto* get = resource.add_subcommand("get",
                                      "attest this machine and fetch a resource\n"
                                      "  coffer resource get default/key/k1 --tee sample --output k1.bin");
  auto options = std::make_shared<GetOptions>();
  get->add_option("PATH", options->path)->required();
  get->add_option("-o,--output", options->output, "a new file, made with mode 0600");
  options->attest.add_to(get);
  commands.on(get, [&commands, options] { return get_resource(commands.context(), *options); });
}

}  // namespace

void add_resource_commands(CLI::App& app, Commands& commands) {
  auto* resource = app.add_subcommand("resource", "keys and other secrets that the broker gives out");
  resource->require_subcommand(1);
  add_set(*resource, commands);
  add_get(*resource, commands);

  auto* list = resource->add_subcommand("list", "the names of all resources");
  commands.on(list, [&commands] { return list_resources(commands.context()); });

  auto* erase = resource->add_subcommand("delete", "delete a resource\n  coffer resource delete default/key/k1");
  auto path = std::make_shared<std::string>();
  erase->add_option("PATH", *path)->required();
  commands.on(erase, [&commands, path] { return delete_resource(commands.context(), *path); });
}

}  // namespace coffer::cli
