#include <CLI/CLI.hpp>
#include <iostream>

#include "apps/coffer/admin_client.h"
#include "apps/coffer/context.h"
#include "apps/coffer/output.h"
#include "codec/base64.h"
#include "codec/resource_uri.h"
#include "keybroker/resource_policies.h"
#include "net/url.h"
#include "policy/engine.h"

namespace coffer::cli {
namespace {

using codec::json::Array;
using codec::json::Object;
using codec::json::Value;

// Attestation policies are named by an id and a device class ("default_cpu"); the resource policy is one.
using keybroker::resource_policy_id;

bool is_resource_policy(std::string_view id) {
  return id == resource_policy_id || id == "resource";
}

std::string read_path(std::string_view id) {
  return is_resource_policy(id) ? "resource-policy/" + std::string{resource_policy_id}
                                : "attestation-policy/" + net::percent_encode(id);
}

Result<int> set_policy(const Context& context, const std::string& id, const std::string& text) {
  // Parsed here first: the message then names the user's own file and line.
  TRY(policy::Policy::parse(id, text));
  auto broker = TRY(AdminClient::create(context));
  const auto encoded = codec::base64url_encode(as_bytes(text));
  if (is_resource_policy(id)) {
    TRY(broker.post_json("resource-policy", Object{{"policy", encoded}}));
  } else {
    TRY(broker.post_json("attestation-policy", Object{{"type", "rego"}, {"policy_id", id}, {"policy", encoded}}));
  }
  if (context.json) {
    print_json(Object{{"policy", id}, {"size", text.size()}});
  } else {
    std::cout << "policy " << id << " set" << std::endl;
  }
  return 0;
}

Result<int> show_policy(const Context& context, const std::string& id) {
  auto broker = TRY(AdminClient::create(context));
  const auto response = TRY(broker.get(read_path(id)));
  if (context.json) {
    print_json(Object{{"id", id}, {"policy", as_text(response.body)}});
  } else {
    std::cout << as_text(response.body) << std::flush;
  }
  return 0;
}

Result<int> list_policies(const Context& context) {
  auto broker = TRY(AdminClient::create(context));
  Table table({"ID", "KIND"});
  Array all;
  for (const auto& [path, kind] :
       {std::pair{"resource-policy", "resource"}, std::pair{"attestation-policy", "attestation"}}) {
    const auto ids = TRY(broker.get_json(path));
    for (const auto& item : *TRY(ids.as_array(path))) {
      const std::string id {
        TRY(item.as_string(path))
      };
      table.add({id, kind});
      all.push_back(Object{{"id", id}, {"kind", kind}});
    }
  }
  if (context.json) {
    print_json(all);
  } else {
    table.print("no policies");
  }
  return 0;
}

struct TestOptions {
  std::string policy_file;
  std::string claims_file;
  std::string resource = "default/key/encryption-key";
};

void print_condition(const policy::Condition& condition) {
  std::cout << (condition.held ? "  held    " : "  failed  ") << condition.rule << " (line " << condition.line
            << "): " << condition.text << "\n";
  if (condition.claim) std::cout << "            claim     " << *condition.claim << "\n";
  if (condition.expected) std::cout << "            expected  " << codec::json::serialize(*condition.expected) << "\n";
  if (condition.actual) std::cout << "            actual    " << codec::json::serialize(*condition.actual) << "\n";
}

Value condition_json(const policy::Condition& condition) {
  Object object{{"rule", condition.rule}, {"line", condition.line}, {"text", condition.text}, {"held", condition.held}};
  if (condition.claim) object.set("claim", *condition.claim);
  if (condition.expected) object.set("expected", *condition.expected);
  if (condition.actual) object.set("actual", *condition.actual);
  return object;
}

// Evaluates a resource policy as the broker does (trustee.md section 4): input is the token's claims, data the path.
Result<int> test_policy(const Context& context, const TestOptions& options) {
  const auto parsed = TRY(policy::Policy::parse(options.policy_file, to_text(TRY(read_file(options.policy_file)))));
  const auto uri = TRY(codec::ResourceUri::parse_any(options.resource));
  Array segments;
  for (const auto& segment : uri.segments()) segments.emplace_back(segment);
  policy::EvaluationRequest request;
  request.query = "data.policy.allow";
  request.input = TRY(codec::json::parse(to_text(TRY(read_file(options.claims_file)))));
  request.data = Object{{"plugin", uri.plugin()}, {"resource-path", segments}, {"query", Object{}}};
  request.explain = true;
  const auto evaluation = TRY(parsed.evaluate(request));
  const bool allowed = evaluation.value && *evaluation.value == Value(true);
  if (context.json) {
    Array conditions;
    for (const auto& condition : evaluation.conditions) conditions.push_back(condition_json(condition));
    print_json(Object{{"allowed", allowed}, {"resource", uri.text()}, {"conditions", conditions}});
  } else {
    std::cout << (allowed ? "allowed: " : "denied: ") << uri.text() << "\n";
    for (const auto& condition : evaluation.conditions) print_condition(condition);
    std::cout.flush();
  }
  return allowed ? 0 : 1;
}

struct Preset {
  const char* name;
  keybroker::DefaultPolicy policy;
  const char* summary;
};
constexpr Preset presets[] = {
    {"allow-all", keybroker::DefaultPolicy::allow_all,
     "release to every guest that attested, whatever its evidence is worth"},
    {"deny-all", keybroker::DefaultPolicy::deny_all, "release nothing"},
    {"affirming", keybroker::DefaultPolicy::affirming, "release where every part of the machine is affirming"},
    {"default", keybroker::DefaultPolicy::upstream, "upstream's default: every TEE but sample, whatever its verdict"},
};

void add_presets(CLI::App& policy, Commands& commands) {
  for (const auto& preset : presets) {
    auto* command = policy.add_subcommand(preset.name, preset.summary);
    commands.on(command, [&commands, text = std::string{keybroker::builtin_policy_text(preset.policy)}] {
      return set_policy(commands.context(), std::string{resource_policy_id}, text);
    });
  }
}

}  // namespace

void add_policy_commands(CLI::App& app, Commands& commands) {
  auto* policy = app.add_subcommand("policy", "who may have which resource, and what evidence is worth");
  policy->require_subcommand(1);

  auto* set = policy->add_subcommand("set", "upload a policy in Rego\n  coffer policy set resource-policy my.rego");
  auto id = std::make_shared<std::string>();
  auto file = std::make_shared<std::string>();
  set->add_option("ID", *id, "resource-policy, or an attestation policy such as default_cpu")->required();
  set->add_option("FILE", *file, "Rego file; - is standard input")->required();
  commands.on(set, [&commands, id, file]() -> Result<int> {
    return set_policy(commands.context(), *id, to_text(TRY(read_file(*file, 1U << 20))));
  });

  auto* show = policy->add_subcommand("show", "print a policy\n  coffer policy show default_cpu");
  auto shown = std::make_shared<std::string>(resource_policy_id);
  show->add_option("ID", *shown, "default: resource-policy");
  commands.on(show, [&commands, shown] { return show_policy(commands.context(), *shown); });

  auto* list = policy->add_subcommand("list", "the policies of the broker");
  commands.on(list, [&commands] { return list_policies(commands.context()); });

  auto* test =
      policy->add_subcommand("test",
                             "evaluate a resource policy on claims, without a broker; exit status 1 where it denies\n"
                             "  coffer policy test my.rego --claims claims.json --resource default/key/k1");
  auto options = std::make_shared<TestOptions>();
  test->add_option("FILE", options->policy_file, "Rego file")->required();
  test->add_option("--claims", options->claims_file, "JSON claims, as `coffer token show --claims` prints them")
      ->required();
  test->add_option("--resource", options->resource, "the resource asked for")->capture_default_str();
  commands.on(test, [&commands, options] { return test_policy(commands.context(), *options); });

  add_presets(*policy, commands);
}

}  // namespace coffer::cli
