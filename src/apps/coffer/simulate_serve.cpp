// `coffer simulate serve`: the vendors' services of simulated hardware over HTTP.
#include "apps/coffer/simulate_serve.h"

#include <CLI/CLI.hpp>
#include <iostream>

#include "apps/coffer/output.h"
#include "apps/coffer/url_file.h"
#include "base/log.h"
#include "evidence/collateral.h"
#include "evidence/vendors/vendor_services.h"
#include "net/url.h"

namespace coffer::cli {
namespace {

struct Options {
  std::string listen = "127.0.0.1:8090";
  std::vector<std::string> faults;
};

// "amd-kds=rate-limited" turns the dial that `coffer simulate set --service` turns.
Result<> turn(const std::filesystem::path& directory, const std::string& text) {
  const auto equals = text.find('=');
  if (equals == std::string::npos) return fail(CliError::usage, "--fault \"" + text + "\": expected SERVICE=FAULT");
  const auto service = text.substr(0, equals);
  const auto fault = text.substr(equals + 1);
  TRY(check_vendor_service(service));
  TRY(evidence::check_vendor_fault(fault));
  auto settings = TRY(evidence::load_simulator_settings(directory, service));
  if (!settings.has_fault(fault)) settings.faults.push_back(fault);
  return evidence::save_simulator_settings(directory, service, settings);
}

void show(const Context& context, const std::string& url) {
  codec::json::Object services;
  for (const auto& service : evidence::collateral_services()) {
    services.append(std::string{service.name}, url + "/" + std::string{service.name});
  }
  if (context.json) return print_json(codec::json::Object{{"url", url}, {"services", std::move(services)}});
  std::cout << "the simulated vendors listen at " << url << "; a broker asks them where its configuration says\n"
            << "[coffer.collateral]\n";
  for (const auto& [name, address] : services) std::cout << name << " = \"" << *address.if_string() << "\"\n";
  std::cout << std::flush;
}

Result<int> serve(const Context& context, const Options& options) {
  const auto directory = context.home().simulator();
  for (const auto& fault : options.faults) TRY(turn(directory, fault));
  const auto services = TRY(evidence::VendorServices::open(directory));
  net::ServerOptions server_options;
  server_options.sockets = {options.listen};
  // As many slow answers as a test may wait for, and one more.
  server_options.workers = 32;
  server_options.shutdown_grace = std::chrono::seconds{1};
  net::block_termination_signals();
  const auto server = TRY(net::HttpServer::start(
      std::move(server_options), [&services](const net::ServerRequest& request) { return services->answer(request); }));
  const auto url = "http://" + server->addresses().front();
  const auto file = TRY(UrlFile::write(directory / "vendors.url", url));
  show(context, url);
  net::wait_for_termination();
  services->stop();
  server->stop();
  return 0;
}

}  // namespace

Result<> check_vendor_service(std::string_view name) {
  std::string names;
  for (const auto& service : evidence::collateral_services()) {
    if (service.name == name) return {};
    names += (names.empty() ? "" : ", ") + std::string{service.name};
  }
  return fail(CliError::usage, "\"" + std::string{name} + "\" is no vendor's service; known are " + names);
}

void add_simulate_serve_command(CLI::App& group, Commands& commands) {
  auto* command = group.add_subcommand("serve",
                                       "play the vendors' services: AMD's KDS, Intel's PCS and certificates\n"
                                       "  coffer simulate serve --listen 127.0.0.1:8090\n"
                                       "  coffer simulate serve --fault amd-kds=rate-limited");
  auto options = std::make_shared<Options>();
  command->add_option("--listen", options->listen, "ADDRESS:PORT; port 0 takes a free one")->capture_default_str();
  command->add_option("--fault", options->faults, "SERVICE=FAULT, as `coffer simulate set --service` turns it")
      ->allow_extra_args(false);
  commands.on(command, [&commands, options] { return serve(commands.context(), *options); });
}

}  // namespace coffer::cli
