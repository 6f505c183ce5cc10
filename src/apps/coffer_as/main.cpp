// coffer-as: the attestation service on its own, with upstream's gRPC interface (`grpc-as`).
#include <CLI/CLI.hpp>
#include <fstream>
#include <iostream>
#include <sstream>

#include "appraisal/builtin_service.h"
#include "appraisal/grpc/server.h"
#include "apps/version_text.h"
#include "base/log.h"
#include "base/process.h"
#include "evidence/verifier_setup.h"
#include "net/http_server.h"
#include "net/metrics.h"
#include "net/url.h"
#include "storage/key_value_store.h"

namespace coffer {
namespace {

struct Options {
  std::string socket = "127.0.0.1:3000";
  std::string store;
  std::string anchor_file;
  std::vector<std::string> allow_tees;
  std::vector<std::filesystem::path> simulator_roots;
  std::string verifier_config;
  std::vector<std::string> collateral_services;
  bool collateral_offline = false;
  unsigned collateral_timeout = 5;
  std::string metrics_socket;
  bool open = false;
};

Result<std::shared_ptr<storage::KeyValueStore>> open_store(const std::string& file) {
  if (!file.empty()) return std::shared_ptr<storage::KeyValueStore>(TRY(storage::open_sqlite_store(file)));
  log::warn("as.memory_store", "no --store: policies, reference values and the signing key are gone when this ends");
  return std::shared_ptr<storage::KeyValueStore>(storage::make_memory_store());
}

// The interface authenticates nobody (trustee.md 6.1), so who can reach it can replace policies.
Result<> check_exposure(const Options& options) {
  const auto url = TRY(net::Url::parse("http://" + options.socket.substr(0, options.socket.rfind(':'))));
  if (url.is_loopback() || options.open) return {};
  return fail(net::NetError::bad_configuration,
              options.socket +
                  " is reachable by others and this interface authenticates nobody; bind it to loopback, or "
                  "say --open where a network policy guards it");
}

Result<> write_anchor(const std::string& file, const appraisal::TokenSigner& signer) {
  if (file.empty()) return {};
  std::ofstream out(file, std::ios::trunc);
  out << signer.anchor_pem();
  out.close();
  if (!out) return fail(net::NetError::bad_configuration, "cannot write the certificate to " + file);
  return {};
}

// JSON, the member verifier_config of upstream's configuration.
Result<codec::json::Object> read_verifier_config(const std::string& file) {
  if (file.empty()) return codec::json::Object{};
  const std::ifstream in(file);
  std::ostringstream text;
  text << in.rdbuf();
  if (!in) return fail(evidence::EvidenceError::bad_config, file + " cannot be read");
  return *TRY(TRY(codec::json::parse(text.str())).as_object(file));
}

// Prometheus' text on every path: who scrapes names one, and there is nothing else.
Result<std::unique_ptr<net::HttpServer>> serve_metrics(const std::string& socket, const net::MetricsRegistry& metrics) {
  if (socket.empty()) return nullptr;
  net::ServerOptions options;
  options.sockets = {socket};
  options.workers = 1;
  auto server = TRY(net::HttpServer::start(std::move(options), [&metrics](const net::ServerRequest&) {
    return net::ServerResponse::text(200, net::MetricsRegistry::content_type, metrics.exposition());
  }));
  log::info("as.metrics", "metrics are served", {{"address", server->addresses().front()}});
  return server;
}

Result<evidence::Registry> make_registry(const Options& options, std::shared_ptr<storage::KeyValueStore> store,
                                         net::MetricsRegistry& metrics) {
  auto verifier_config = TRY(read_verifier_config(options.verifier_config));
  evidence::VerifierSetup setup{.allow_tees = options.allow_tees,
                                .verifier_config = std::move(verifier_config),
                                .simulator_roots = options.simulator_roots,
                                .collateral = {.store = std::move(store),
                                               .offline = options.collateral_offline,
                                               .budget = std::chrono::seconds{options.collateral_timeout},
                                               .metrics = &metrics}};
  for (const auto& text : options.collateral_services) {
    setup.collateral.base_urls.insert(TRY(evidence::parse_collateral_service(text)));
  }
  return evidence::make_verifiers(std::move(setup));
}

Result<> serve(const Options& options) {
  TRY(check_exposure(options));
  auto store = TRY(open_store(options.store));
  net::MetricsRegistry metrics;
  auto registry = std::make_shared<evidence::Registry>(TRY(make_registry(options, store, metrics)));
  auto service = TRY(appraisal::BuiltinAttestationService::create({.store = store, .registry = registry}));
  TRY(write_anchor(options.anchor_file, service->signer()));
  auto server = TRY(appraisal::grpc::Server::start(options.socket, service));
  const auto metrics_server = TRY(serve_metrics(options.metrics_socket, metrics));
  log::info("as.ready", "attestation service ready", {{"port", std::to_string(server->port())}});
  net::wait_for_termination();
  server->stop();
  return {};
}

int run(int argc, char** argv) {
  CLI::App app{
      "Attestation service with upstream's gRPC interface.\n\n"
      "  coffer-as --socket 127.0.0.1:50004 --store as.sqlite --anchor as.pem\n",
      "coffer-as"};
  Options options;
  app.add_option("-s,--socket", options.socket, "HOST:PORT; port 0 takes a free one")->capture_default_str();
  app.add_option("--store", options.store, "SQLite file for policies, reference values and the signing key");
  app.add_option("--anchor", options.anchor_file,
                 "write the certificate that relying parties put into trusted_certs_paths");
  app.add_option("--allow-tee", options.allow_tees, "accept evidence that proves nothing: sample, simulated:TEE");
  app.add_option("--simulator-root", options.simulator_roots,
                 "root of the simulator that simulated evidence chains to");
  app.add_option("--verifier-config", options.verifier_config, "JSON: options of single verifiers, as in upstream");
  app.add_option("--collateral-service", options.collateral_services,
                 "NAME=URL: where a vendor's endorsements are, instead of the vendor");
  app.add_flag("--collateral-offline", options.collateral_offline, "only endorsements that the store holds");
  app.add_option("--collateral-timeout", options.collateral_timeout,
                 "seconds that all questions to vendors for one piece of evidence may take together")
      ->check(CLI::Range(1, 300))
      ->capture_default_str();
  app.add_option("--metrics", options.metrics_socket, "HOST:PORT for Prometheus over HTTP (default: none)");
  app.add_flag("--open", options.open, "listen beyond this machine although the interface authenticates nobody");
  app.set_version_flag("--version", apps::version_text("coffer-as"));
  CLI11_PARSE(app, argc, argv);
  const auto served = serve(options);
  if (served) return 0;
  log::error("as.failed", served.error().message, {{"code", std::string{served.error().code.name()}}});
  return 1;
}

}  // namespace
}  // namespace coffer

int main(int argc, char** argv) {
  coffer::forbid_core_dumps();
  coffer::net::block_termination_signals();
  coffer::log::init("coffer-as");
  return coffer::run(argc, argv);
}
