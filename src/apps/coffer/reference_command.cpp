#include <CLI/CLI.hpp>
#include <iostream>

#include "apps/coffer/admin_client.h"
#include "apps/coffer/context.h"
#include "apps/coffer/output.h"
#include "codec/base64.h"
#include "net/url.h"

namespace coffer::cli {
namespace {

using codec::json::Array;
using codec::json::Object;
using codec::json::Value;

struct SetOptions {
  std::string name;
  std::vector<std::string> values;
  bool single = false;
  bool text = false;
};

// "3" and "true" are what they look like unless --text was given; everything else is text.
Value parse_value(const std::string& text, bool as_text) {
  if (as_text) return Value(text);
  const auto value = codec::json::parse(text);
  if (value && (value->is_integer() || value->is_bool())) return *value;
  return Value(text);
}

Result<int> set_reference(const Context& context, const SetOptions& options) {
  if (options.single && options.values.size() != 1) return fail(CliError::usage, "--single takes exactly one value");
  Array values;
  for (const auto& text : options.values) values.push_back(parse_value(text, options.text));
  const Value value = options.single ? values.front() : Value(values);
  // RVPS message (trustee.md 6.3): the payload of type "sample" is a JSON object of name and value.
  const auto payload = codec::json::serialize(Object{{options.name, value}});
  auto broker = TRY(AdminClient::create(context));
  TRY(broker.post_json(
      "reference-value",
      Object{{"version", "0.1.0"}, {"type", "sample"}, {"payload", codec::base64_encode(as_bytes(payload))}}));
  if (context.json) {
    print_json(Object{{"reference_value", options.name}, {"value", value}});
  } else {
    std::cout << "reference value " << options.name << " = " << codec::json::serialize(value) << std::endl;
  }
  return 0;
}

Result<int> get_reference(const Context& context, const std::string& name) {
  auto broker = TRY(AdminClient::create(context));
  print_json(TRY(broker.get_json("reference-value/" + net::percent_encode(name))));
  return 0;
}

Result<int> list_references(const Context& context) {
  auto broker = TRY(AdminClient::create(context));
  const auto answer = TRY(broker.get_json("reference-value"));
  if (context.json) {
    print_json(answer);
    return 0;
  }
  Table table({"NAME", "VALUE", "EXPIRES"});
  for (const auto& item : *TRY(answer.as_array("reference values"))) {
    const auto& entry = *TRY(item.as_object("reference values[]"));
    const auto* value = entry.find("value");
    table.add({
      std::string {
        TRY(codec::json::string_member(entry, "name", "reference values[]"))
      }
      , value == nullptr ? "" : codec::json::serialize(*value),
          TRY(codec::json::optional_string_member(entry, "expiration", "reference values[]"))
      .value_or("never")
    });
  }
  table.print("no reference values; `coffer reference set NAME VALUE...` sets one");
  return 0;
}

}  // namespace

void add_reference_commands(CLI::App& app, Commands& commands) {
  auto* reference = app.add_subcommand("reference", "the measurements that count as good");
  reference->require_subcommand(1);

  auto* set = reference->add_subcommand("set",
                                        "set a reference value; several values are alternatives\n"
                                        "  coffer reference set snp_launch_measurement 3c1e...90");
  auto options = std::make_shared<SetOptions>();
  set->add_option("NAME", options->name, "as the attestation policy asks for it")->required();
  set->add_option("VALUE", options->values, "one or more values")->required();
  set->add_flag("--single", options->single,
                "store the value itself instead of a list of one (policies that compare with ==)");
  set->add_flag("--text", options->text, "take numbers and true/false as text");
  commands.on(set, [&commands, options] { return set_reference(commands.context(), *options); });

  auto* get = reference->add_subcommand("get", "print one reference value as JSON");
  auto name = std::make_shared<std::string>();
  get->add_option("NAME", *name)->required();
  commands.on(get, [&commands, name] { return get_reference(commands.context(), *name); });

  auto* list = reference->add_subcommand("list", "all reference values");
  commands.on(list, [&commands] { return list_references(commands.context()); });
}

}  // namespace coffer::cli
