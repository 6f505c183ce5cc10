#include <CLI/CLI.hpp>
#include <iostream>

#include "apps/coffer/admin_client.h"
#include "apps/coffer/context.h"
#include "apps/coffer/output.h"
#include "base/printable.h"
#include "net/url.h"

namespace coffer::cli {
namespace {

using codec::json::Array;
using codec::json::Value;

struct Options {
  std::string session;
  bool last = false;
  bool all = false;  // conditions that held, too
  std::size_t count = 20;
};

// The member at a key, or at a JSON pointer ("/policy/id").
std::string text_of(const Value& record, std::string_view key) {
  const auto* value = key.starts_with('/') ? record.at_pointer(key) : record.find(key);
  if (value == nullptr) return {};
  return value->if_string() != nullptr ? *value->if_string() : codec::json::serialize(*value);
}

std::string shown(const Value& record, std::string_view key) {
  return printable(text_of(record, key));
}

// Conditions as the evaluation that decided recorded them: rule, claim, expected, actual.
void print_condition(const Value& condition, bool all) {
  const bool held = condition.find("held") != nullptr && *condition.find("held") == Value(true);
  if (held && !all) return;
  std::cout << "    " << (held ? "held   " : "failed ") << shown(condition, "rule");
  if (condition.find("line") != nullptr) std::cout << " (line " << shown(condition, "line") << ")";
  std::cout << ": " << shown(condition, "text") << "\n";
  if (condition.find("claim") != nullptr) std::cout << "             claim     " << shown(condition, "claim") << "\n";
  // As JSON, so that the text "1" and the number 1 differ.
  for (const std::string_view key : {"expected", "actual"}) {
    if (const auto* value = condition.find(key)) {
      std::cout << "             " << key << std::string(10 - key.size(), ' ')
                << printable(codec::json::serialize(*value)) << "\n";
    }
  }
}

void print_explanation(const Value& explanation, bool all) {
  if (explanation.if_array() == nullptr) return;
  for (const auto& item : *explanation.if_array()) {
    const auto* conditions = item.find("conditions");
    if (conditions == nullptr || conditions->if_array() == nullptr) {
      print_condition(item, all);
      continue;
    }
    std::cout << "  " << shown(item, "submodule") << " (" << shown(item, "tee") << ") is " << shown(item, "status")
              << " under policy " << shown(item, "policy") << "\n";
    for (const auto& condition : *conditions->if_array()) print_condition(condition, all);
  }
}

void print_record(const Value& record, bool all) {
  std::cout << shown(record, "time") << "  " << shown(record, "action") << "  " << shown(record, "decision");
  if (record.find("resource") != nullptr) std::cout << "  " << shown(record, "resource");
  std::cout << "\n";
  constexpr std::pair<std::string_view, std::string_view> lines[] = {
      {"code", "code"}, {"reason", "reason"},           {"session", "session"},
      {"tee", "tee"},   {"status", "/evidence/status"}, {"policy", "/policy/id"}};
  for (const auto& [label, key] : lines) {
    if (const auto text = shown(record, key); !text.empty()) {
      std::cout << "  " << label << std::string(11 - label.size(), ' ') << text << "\n";
    }
  }
  if (const auto* explanation = record.find("explanation"); explanation != nullptr)
    print_explanation(*explanation, all);
}

Result<Array> records(const Context& context, const std::string& session, std::size_t last) {
  auto broker = TRY(AdminClient::create(context));
  std::string path = "audit?last=" + std::to_string(last);
  if (!session.empty()) path += "&session=" + net::percent_encode(session);
  const auto answer = TRY(broker.get_json(path));
  return *TRY(answer.as_array("audit records"));
}

bool denied(const Value& record) {
  return text_of(record, "decision") == "denied";
}

// The newest denial with the rest of its session, or with --session all of that one.
Result<Array> chosen(const Context& context, const Options& options) {
  if (!options.session.empty()) return records(context, options.session, 1000);
  const auto all = TRY(records(context, "", 200));
  for (auto record = all.rbegin(); record != all.rend(); ++record) {
    if (!denied(*record)) continue;
    const auto session = text_of(*record, "session");
    if (session.empty()) return Array{*record};
    return records(context, session, 1000);
  }
  return Array{};
}

Result<int> explain(const Context& context, const Options& options) {
  const auto found = TRY(chosen(context, options));
  if (context.json) {
    print_json(found);
    return 0;
  }
  if (found.empty()) std::cout << "nothing was denied; `coffer audit` shows what was released" << std::endl;
  for (const auto& record : found) print_record(record, options.all);
  std::cout.flush();
  return 0;
}

Result<int> audit(const Context& context, const Options& options) {
  const auto found = TRY(records(context, options.session, options.count));
  if (context.json) {
    print_json(found);
    return 0;
  }
  Table table({"TIME", "ACTION", "DECISION", "RESOURCE", "CODE", "SESSION"});
  for (const auto& record : found) {
    table.add({text_of(record, "time"), text_of(record, "action"), text_of(record, "decision"),
               text_of(record, "resource"), text_of(record, "code"), text_of(record, "session")});
  }
  table.print("no audit records");
  return 0;
}

}  // namespace

void add_explain_commands(CLI::App& app, Commands& commands) {
  auto* explain_command = app.add_subcommand("explain",
                                             "why was it denied? the deciding rule with claim, expected and actual\n"
                                             "  coffer explain --last");
  auto options = std::make_shared<Options>();
  explain_command->add_option("SESSION", options->session,
                              "a session's id, as the guest's error and `coffer audit` show it");
  explain_command->add_flag("--last", options->last, "the newest denial (the default)");
  explain_command->add_flag("--all", options->all, "show the conditions that held, too");
  commands.on(explain_command, [&commands, options] { return explain(commands.context(), *options); });

  auto* audit_command = app.add_subcommand("audit", "releases and denials, newest last\n  coffer audit --last 50");
  auto audit_options = std::make_shared<Options>();
  audit_command->add_option("--last", audit_options->count, "how many records")
      ->capture_default_str()
      ->check(CLI::Range(1, 1000));
  audit_command->add_option("--session", audit_options->session, "of one session");
  commands.on(audit_command, [&commands, audit_options] { return audit(commands.context(), *audit_options); });
}

}  // namespace coffer::cli
