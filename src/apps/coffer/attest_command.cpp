#include <CLI/CLI.hpp>
#include <iostream>

#include "apps/coffer/broker_key_source.h"
#include "apps/coffer/context.h"
#include "apps/coffer/output.h"
#include "base/clock.h"
#include "base/printable.h"
#include "codec/jose/jwt.h"

namespace coffer::cli {
namespace {

using codec::json::Object;
using codec::json::Value;

// The attestation result of each part of the machine, from claims that were read, not verified.
void print_token(const codec::jose::UnverifiedJwt& token) {
  const Value claims(token.claims);
  const auto* expires = claims.find("exp");
  if (const auto seconds = expires == nullptr ? std::nullopt : expires->if_int64()) {
    std::cout << "expires  " << format_rfc3339(from_unix_seconds(*seconds)) << "\n";
  }
  if (const auto* issuer = claims.find("iss"); issuer != nullptr && issuer->if_string() != nullptr) {
    std::cout << "issuer   " << printable(*issuer->if_string()) << "\n";
  }
  const auto* submods = claims.find("submods");
  if (submods == nullptr || submods->if_object() == nullptr) return;
  for (const auto& [name, submod] : *submods->if_object()) {
    const auto* status = submod.find("ear.status");
    std::cout << printable(name) << "     "
              << (status != nullptr && status->if_string() ? printable(*status->if_string()) : "no status") << "\n";
    const auto* vector = submod.find("ear.trustworthiness-vector");
    if (vector == nullptr || vector->if_object() == nullptr) continue;
    for (const auto& [claim, value] : *vector->if_object()) {
      std::cout << "         " << printable(claim) << " " << printable(codec::json::serialize(value)) << "\n";
    }
  }
  std::cout.flush();
}

struct ShowOptions {
  std::string file;
  bool claims = false;
};

Result<int> show(const Context& context, const std::string& text, bool claims) {
  const auto token = TRY(codec::jose::UnverifiedJwt::parse(text));
  if (claims || context.json) {
    print_json(claims ? Value(token.claims) : Value(Object{{"header", token.header}, {"claims", token.claims}}));
    return 0;
  }
  std::cout << "not verified: this only shows what the token says\n";
  print_token(token);
  return 0;
}

struct Options {
  AttestOptions attest;
  std::string output;
};

Result<int> attest(const Context& context, const Options& options) {
  auto attested = TRY(Attested::create(context, options.attest));
  const auto token = TRY(attested->tokens().token());
  if (!options.output.empty()) TRY(write_file(options.output, as_bytes(token->token + "\n"), 0600));
  if (context.json) {
    print_json(Object{{"token", token->token}, {"tee", token->tee}, {"expires", format_rfc3339(token->expires)}});
    return 0;
  }
  if (options.output.empty()) {
    std::cout << token->token << std::endl;
  } else {
    print_token(TRY(codec::jose::UnverifiedJwt::parse(token->token)));
  }
  return 0;
}

std::string trimmed(std::string text) {
  text.erase(text.find_last_not_of(" \t\r\n") + 1);
  return text.substr(std::min(text.find_first_not_of(" \t\r\n"), text.size()));
}

}  // namespace

void add_attest_commands(CLI::App& app, Commands& commands) {
  auto* attest_command = app.add_subcommand("attest",
                                            "attest this machine and print the token\n"
                                            "  coffer attest --tee sample --output token.jwt");
  auto options = std::make_shared<Options>();
  options->attest.add_to(attest_command);
  attest_command->add_option("-o,--output", options->output, "write the token to a new file and show what it says");
  commands.on(attest_command, [&commands, options] { return attest(commands.context(), *options); });

  auto* token = app.add_subcommand("token", "attestation tokens");
  token->require_subcommand(1);
  auto* show_command =
      token->add_subcommand("show", "what a token says, without trusting it\n  coffer token show token.jwt");
  auto show_options = std::make_shared<ShowOptions>();
  show_command->add_option("FILE", show_options->file, "a file with the token; - is standard input")->required();
  show_command->add_flag("--claims", show_options->claims, "the claims alone, as JSON");
  commands.on(show_command, [&commands, show_options]() -> Result<int> {
    return show(commands.context(), trimmed(to_text(TRY(read_file(show_options->file, 1U << 20)))),
                show_options->claims);
  });
}

}  // namespace coffer::cli
