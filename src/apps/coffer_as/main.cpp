// coffer-as: the attestation service on its own, with upstream's gRPC interface (`grpc-as`).
#include <CLI/CLI.hpp>
#include <fstream>
#include <iostream>

#include "appraisal/builtin_service.h"
#include "appraisal/grpc/server.h"
#include "apps/version_text.h"
#include "base/log.h"
#include "base/process.h"
#include "net/http_server.h"
#include "net/url.h"
#include "storage/key_value_store.h"

namespace coffer {
namespace {

struct Options {
  std::string socket = "127.0.0.1:3000";
  std::string store;
  std::string anchor_file;
  std::vector<std::string> allow_tees;
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

Result<> serve(const Options& options) {
  TRY(check_exposure(options));
  auto store = TRY(open_store(options.store));
  auto registry =
      std::make_shared<evidence::Registry>(TRY(evidence::Registry::create({.allow_tees = options.allow_tees})));
  auto service = TRY(appraisal::BuiltinAttestationService::create({.store = store, .registry = registry}));
  TRY(write_anchor(options.anchor_file, service->signer()));
  auto server = TRY(appraisal::grpc::Server::start(options.socket, service));
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
  app.add_option("--allow-tee", options.allow_tees, "accept evidence that proves nothing: sample");
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
