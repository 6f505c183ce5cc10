#include "apps/coffer/context.h"

#include <CLI/CLI.hpp>
#include <iostream>

#include "apps/coffer/output.h"

namespace coffer::cli {
namespace {

struct Hint {
  std::string_view code;
  std::string_view text;
};

// What to do next, for the errors that people meet first.
constexpr Hint hints[] = {
    {"net.refused",
     "is the server running? `coffer up` starts a broker, `coffer-manager` a fleet's manager; `coffer doctor kbs URL` "
     "looks at a broker"},
    {"net.tls", "name the certificate authority: --kbs-cert FILE of a key broker, --ca-cert FILE of a fleet's manager"},
    {"keyclient.policy_denied", "`coffer explain --last` shows the owner which rule decided, with expected and actual"},
    {"keyclient.evidence_rejected", "`coffer explain --last` shows the owner what was wrong with the evidence"},
    {"evidence.tee_not_allowed", "a broker accepts sample evidence only after `coffer init --allow-tee sample`"},
};

}  // namespace

std::string_view code_name(CliError code) {
  switch (code) {
    case CliError::usage: return "cli.usage";
    case CliError::no_home: return "cli.no_home";
    case CliError::home_exists: return "cli.home_exists";
    case CliError::file: return "cli.file";
    case CliError::broker_refused: return "cli.broker_refused";
    case CliError::manager_refused: return "cli.manager_refused";
    case CliError::atom_refused: return "cli.atom_refused";
    case CliError::not_a_terminal: return "cli.not_a_terminal";
    case CliError::key_exists: return "cli.key_exists";
  }
  std::unreachable();
}

Result<std::string> Context::kbs_url() const {
  std::string url = kbs;
  if (url.empty()) url = home().running_url().value_or("");
  if (url.empty()) {
    return fail(CliError::no_home, "no broker is known: none of this home (" + home().directory().string() +
                                       ") is running and --kbs URL was not given");
  }
  while (url.ends_with('/')) url.pop_back();
  return url;
}

std::string Context::admin_key() const {
  return admin_key_file.empty() ? home().admin_key().string() : admin_key_file;
}

void Commands::on(CLI::App* subcommand, Command command) {
  commands_.emplace_back(subcommand, std::move(command));
}

int Commands::run() {
  for (const auto& [subcommand, command] : commands_) {
    if (!subcommand->parsed()) continue;
    const auto status = command();
    return status ? *status : report(context_, status.error());
  }
  return 2;
}

int report(const Context& context, const Error& error) {
  if (context.json) {
    codec::json::Object fields;
    for (const auto& [key, value] : error.context) fields.set(key, value);
    print_json(codec::json::Object{
        {"error", codec::json::Object{{"code", error.code.name()}, {"message", error.message}, {"context", fields}}}});
  } else {
    std::cerr << "coffer: " << error.message << "\n";
    for (const auto& [key, value] : error.context) std::cerr << "  " << key << ": " << value << "\n";
    std::cerr << "  code: " << error.code.name() << "\n";
    for (const auto& hint : hints) {
      if (hint.code == error.code.name()) std::cerr << "  hint: " << hint.text << "\n";
    }
  }
  return error.code == ErrorCode(CliError::usage) ? 2 : 1;
}

}  // namespace coffer::cli
