#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>

#include "appraisal/reference_proposal.h"
#include "apps/coffer/admin_client.h"
#include "apps/coffer/context.h"
#include "apps/coffer/evidence_input.h"
#include "apps/coffer/output.h"
#include "apps/coffer/reference_values.h"
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
  bool add = false;
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
  TRY(register_reference_values(context, Object{{options.name, value}}, options.add));
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

struct ProposalOptions {
  EvidenceOptions evidence;
  std::string file;
  bool set = false;
  bool add = false;
};

void print_proposal(const std::vector<appraisal::ProposedReference>& proposed, bool set) {
  Table table({"NAME", "VALUE", "CLAIM"});
  for (const auto& each : proposed) table.add({each.name, codec::json::serialize(each.value), each.claim});
  table.print("the default policies compare nothing of this TEE's evidence with reference values");
  if (!set) std::cout << "nothing was set; --set sets these in the broker, --add adds them to what it has" << std::endl;
}

// Only what was verified: a reference value taken from anything else would let in who made it up.
Result<int> propose(const Context& context, const ProposalOptions& options) {
  const auto verifier = TRY(OfflineVerifier::create(options.evidence));
  const auto evidence = TRY(load_evidence(options.file, verifier.verifier(), options.evidence));
  std::vector<appraisal::ProposedReference> proposed;
  for (const auto& device : TRY(verifier.verify(evidence))) {
    std::ranges::move(appraisal::propose_references(verifier.verifier().kind(), device.claims),
                      std::back_inserter(proposed));
  }
  Object values;
  for (const auto& each : proposed) values.set(each.name, each.value);
  const bool set = (options.set || options.add) && !values.empty();
  if (set) TRY(register_reference_values(context, values, options.add));
  if (context.json) {
    print_json(Object{{"set", set}, {"reference_values", std::move(values)}});
  } else {
    print_proposal(proposed, options.set || options.add);
  }
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
  set->add_flag("--add", options->add, "keep the values that the broker has, and add these");
  commands.on(set, [&commands, options] { return set_reference(commands.context(), *options); });

  auto* get = reference->add_subcommand("get", "print one reference value as JSON");
  auto name = std::make_shared<std::string>();
  get->add_option("NAME", *name)->required();
  commands.on(get, [&commands, name] { return get_reference(commands.context(), *name); });

  auto* from = reference->add_subcommand("from-evidence",
                                         "the reference values that verified evidence would set\n"
                                         "  coffer reference from-evidence --tee snp report.bin --cert vcek.der --set");
  auto proposal = std::make_shared<ProposalOptions>();
  proposal->evidence.add_to(from);
  from->add_option("FILE", proposal->file, "evidence document (JSON), or raw report, quote, document")->required();
  auto* replace = from->add_flag("--set", proposal->set, "set them in the broker, in the place of what it has");
  from->add_flag("--add", proposal->add, "add them to what the broker has: one machine more")->excludes(replace);
  commands.on(from, [&commands, proposal] { return propose(commands.context(), *proposal); });

  auto* list = reference->add_subcommand("list", "all reference values");
  commands.on(list, [&commands] { return list_references(commands.context()); });
}

}  // namespace coffer::cli
