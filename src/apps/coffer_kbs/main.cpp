// coffer-kbs: the key broker. Stands in for upstream's kbs and resource-kbs.
#include <CLI/CLI.hpp>
#include <iostream>

#include "apps/coffer_kbs/options.h"
#include "apps/version_text.h"
#include "base/log.h"
#include "base/process.h"
#include "keybroker/serve.h"

namespace coffer::kbs {
namespace {

void add_options(CLI::App& app, Options& options) {
  app.add_option("-c,--config-file", options.config_file, "configuration in Trustee's format: TOML, .yaml or .json")
      ->envname("KBS_CONFIG_FILE");
  app.add_flag("--check", options.check, "check the configuration and the files it names, then end");
  app.add_option("--allow-tee", options.allow_tees, "accept evidence that proves nothing: sample, simulated:TEE");
  app.add_option("--default-policy", options.default_policy,
                 "what guards resources while no policy is set: default, affirming, allow_all, deny_all");
  app.add_option("--store", options.store, "SQLite file for all state");
  app.add_flag("--unattested-reads", options.unattested_reads,
               "DANGEROUS: serve resources in plaintext to anyone; only without any trust anchor");
  const auto* historic = "Without a configuration file";
  app.add_option("-s,--socket", options.sockets, "HOST:PORT; port 0 takes a free one (127.0.0.1:8080)")
      ->group(historic);
  app.add_flag("--insecure-http", options.insecure_http, "plain HTTP")->group(historic);
  app.add_option("--private-key", options.private_key, "TLS key, PEM")->group(historic);
  app.add_option("--certificate", options.certificate, "TLS certificate chain, PEM")->group(historic);
  app.add_option("--auth-public-key", options.auth_public_key, "the administrator's public key, PEM")->group(historic);
  app.add_flag("--insecure-api", options.insecure_api, "administration without any key")->group(historic);
}

Result<> check(keybroker::Config config) {
  // What is checked here must not create a database: keys, certificates and rules are read, state is not touched.
  auto broker = TRY(keybroker::Broker::create(std::move(config), {.store = storage::make_memory_store()}));
  std::cout << "the configuration is valid; mode " << keybroker::name_of(broker->mode()) << std::endl;
  return {};
}

Result<> run_until_stopped(keybroker::Config config) {
  auto running = TRY(keybroker::serve(std::move(config)));
  const int signal = net::wait_for_termination();
  log::info("broker.stopping", "finishing what runs", {{"signal", std::to_string(signal)}});
  running->stop();
  return {};
}

int run(int argc, char** argv) {
  CLI::App app{
      "The key broker: releases secrets to attested guests, as its owner's policy says.\n\n"
      "  coffer-kbs --config-file kbs-config.toml\n"
      "  coffer-kbs --insecure-http --auth-public-key admin.pub\n",
      "coffer-kbs"};
  Options options;
  add_options(app, options);
  app.set_version_flag("--version", [] { return apps::version_text("coffer-kbs"); });
  CLI11_PARSE(app, argc, argv);
  auto config = build_config(options);
  auto done = config ? (options.check ? check(*std::move(config)) : run_until_stopped(*std::move(config)))
                     : Result<>{std::unexpected(config.error())};
  if (done) return 0;
  log::error("broker.failed", done.error().message, {{"code", std::string{done.error().code.name()}}});
  return 1;
}

}  // namespace
}  // namespace coffer::kbs

int main(int argc, char** argv) {
  coffer::forbid_core_dumps();
  coffer::net::block_termination_signals();
  coffer::log::init("coffer-kbs");
  return coffer::kbs::run(argc, argv);
}
