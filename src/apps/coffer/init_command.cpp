#include <CLI/CLI.hpp>
#include <filesystem>
#include <iostream>

#include "apps/coffer/context.h"
#include "apps/coffer/output.h"
#include "apps/coffer/url_file.h"
#include "base/log.h"
#include "evidence/options.h"
#include "keybroker/config_file.h"
#include "keybroker/serve.h"
#include "net/url.h"

namespace coffer::cli {
namespace {

using codec::json::Object;

Result<int> init(const Context& context, const InitOptions& options) {
  for (const auto& name : options.allow_tees) {
    const auto choice = TRY(evidence::parse_tee_choice(name));
    if (choice.simulated || evidence::is_sample(choice.kind)) continue;
    // It would also let every such guest have every key (default_policy in broker.toml).
    return fail(CliError::usage,
                "--allow-tee is for evidence that proves nothing: sample, sampledevice or "
                "simulated:TEE; " +
                    name + " needs no choice, a broker accepts it where its build can verify it");
  }
  const auto home = context.home();
  TRY(home.create(options));
  if (context.json) {
    print_json(Object{{"home", home.directory().string()}, {"configuration", home.broker_configuration().string()}});
    return 0;
  }
  std::cout << "made " << home.directory().string() << "\n"
            << "  broker.toml  the broker's configuration\n"
            << "  admin.key    your administrator's key; keep it safe\n";
  for (const auto& tee : options.allow_tees) {
    std::cout << "  the TEE \"" << tee
              << "\" is accepted because you named it: it proves nothing, and every guest gets every\n"
              << "  key until you set a policy (coffer policy affirming)\n";
  }
  std::cout << "next: coffer up" << std::endl;
  return 0;
}

struct UpOptions {
  std::vector<std::string> listen;
  bool insecure_http = false;
};

// True for addresses that only this machine reaches.
bool is_loopback(const std::string& socket) {
  const auto url = net::Url::parse("http://" + socket.substr(0, socket.rfind(':')));
  return url && url->is_loopback();
}

Result<> apply(const UpOptions& options, keybroker::Config& config) {
  if (!options.listen.empty()) config.http.sockets = options.listen;
  if (options.insecure_http) config.http.insecure_http = true;
  const bool tls = !config.http.certificate.empty();
  for (const auto& socket : config.http.sockets) {
    if (tls || options.insecure_http || is_loopback(socket)) continue;
    return fail(CliError::usage, socket +
                                     " is reachable by others and this home has no TLS certificate: make the home with "
                                     "`coffer init --tls NAME`, or say --insecure-http");
  }
  return {};
}

Result<int> up(const Context& context, const UpOptions& options) {
  net::block_termination_signals();  // before any thread
  const auto home = context.home();
  if (!home.exists()) {
    return fail(CliError::no_home, "there is no home at " + home.directory().string() + "; run `coffer init` first");
  }
  auto config = TRY(keybroker::load_config(home.broker_configuration()));
  TRY(apply(options, config));
  const bool tls = !config.http.certificate.empty();
  auto running = TRY(keybroker::serve(std::move(config)));
  const std::string url = (tls ? "https://" : "http://") + running->addresses().front();
  const auto url_file = TRY(UrlFile::write(home.url_file(), url));
  if (context.json) {
    print_json(Object{{"url", url}, {"mode", keybroker::name_of(running->broker().mode())}});
  } else {
    std::cout << "broker ready at " << url << " (" << keybroker::name_of(running->broker().mode())
              << "); Ctrl-C stops it" << std::endl;
  }
  const int signal = net::wait_for_termination();
  log::info("broker.stopping", "finishing what runs", {{"signal", std::to_string(signal)}});
  running->stop();
  return 0;
}

}  // namespace

void add_init_commands(CLI::App& app, Commands& commands) {
  auto* init_command = app.add_subcommand("init",
                                          "make a home: configuration, administrator's key, store\n"
                                          "  coffer init --allow-tee sample   (a laptop that plays)");
  auto init_options = std::make_shared<InitOptions>();
  init_command->add_option("--listen", init_options->listen, "where `coffer up` will listen")->capture_default_str();
  init_command
      ->add_option("--allow-tee", init_options->allow_tees,
                   "accept evidence that proves nothing: sample, simulated:TEE")
      ->allow_extra_args(false);
  init_command->add_option("--tls", init_options->tls_names, "make a TLS certificate for these names and addresses")
      ->allow_extra_args(false);
  commands.on(init_command, [&commands, init_options] { return init(commands.context(), *init_options); });

  auto* up_command =
      app.add_subcommand("up", "run the broker of this home in the foreground\n  coffer up --listen 127.0.0.1:8080");
  auto up_options = std::make_shared<UpOptions>();
  up_command
      ->add_option("--listen", up_options->listen, "HOST:PORT instead of the configuration's; port 0 takes a free one")
      ->allow_extra_args(false);
  up_command->add_flag("--insecure-http", up_options->insecure_http, "plain HTTP also beyond this machine");
  commands.on(up_command, [&commands, up_options] { return up(commands.context(), *up_options); });
}

}  // namespace coffer::cli
