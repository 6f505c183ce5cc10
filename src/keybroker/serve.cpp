#include "keybroker/serve.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "base/log.h"
#include "keybroker/key_files.h"
#include "keybroker/refusal.h"

namespace coffer::keybroker {
namespace {

constexpr auto sweep_interval = std::chrono::seconds{60};
constexpr auto first_backoff = std::chrono::seconds{5};
constexpr auto longest_backoff = std::chrono::seconds{300};

// Sweeps every minute; a store in trouble is asked less and less often.
class Sweeper {
 public:
  explicit Sweeper(Broker& broker) : broker_(broker), thread_([this](const std::stop_token& stop) { run(stop); }) {}

 private:
  void run(const std::stop_token& stop) {
    std::chrono::seconds wait = sweep_interval;
    while (!pause(stop, wait)) {
      const auto swept = broker_.sweep();
      if (swept) {
        wait = sweep_interval;
        continue;
      }
      wait = wait == sweep_interval ? first_backoff : std::min<std::chrono::seconds>(wait * 2, longest_backoff);
      log::warn("broker.sweep_failed", swept.error().message, {{"code", std::string{swept.error().code.name()}}});
    }
  }

  // True where it is time to end.
  bool pause(const std::stop_token& stop, std::chrono::seconds wait) {
    std::unique_lock lock{mutex_};
    wake_.wait_for(lock, stop, wait, [] { return false; });
    return stop.stop_requested();
  }

  Broker& broker_;
  std::mutex mutex_;
  std::condition_variable_any wake_;
  std::jthread thread_;
};

Result<std::optional<net::TlsIdentity>> tls_identity(const HttpConfig& http) {
  const bool has_key = !http.private_key.empty();
  const bool has_certificate = !http.certificate.empty();
  if (http.insecure_http) {
    if (has_key || has_certificate) {
      log::warn("broker.plain_http", "insecure_http is on: private_key and certificate are not used");
    }
    return std::nullopt;
  }
  if (!has_key || !has_certificate) {
    return fail(BrokerError::config_value,
                "[http_server]: expected private_key and certificate, or insecure_http = true for plain HTTP");
  }
  net::TlsIdentity identity;
  identity.certificate_chain_pem = TRY(read_text_file(http.certificate, "certificate"));
  auto key = TRY(read_text_file(http.private_key, "private_key"));
  identity.private_key_pem = SecretBytes::copy_of(std::string_view{key});
  wipe({reinterpret_cast<std::byte*>(key.data()), key.size()});
  identity.profile = http.tls13_only ? net::TlsProfile::modern : net::TlsProfile::intermediate;
  return identity;
}

Result<net::ServerOptions> server_options(const HttpConfig& http) {
  net::ServerOptions options;
  options.sockets = http.sockets;
  options.tls = TRY(tls_identity(http));
  options.max_body_size = http.max_body_size;
  options.workers = http.workers;
  options.refusal = unread_refusal;
  return options;
}

}  // namespace

struct RunningBroker::Impl {
  std::unique_ptr<Broker> broker;
  std::unique_ptr<net::HttpServer> server;
  std::unique_ptr<Sweeper> sweeper;
};

RunningBroker::RunningBroker(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

RunningBroker::~RunningBroker() {
  stop();
}

const std::vector<std::string>& RunningBroker::addresses() const {
  return impl_->server->addresses();
}

Broker& RunningBroker::broker() {
  return *impl_->broker;
}

void RunningBroker::stop() {
  impl_->sweeper.reset();
  impl_->server->stop();
}

Result<std::unique_ptr<RunningBroker>> serve(Config config, const Dependencies& dependencies) {
  auto options = TRY(server_options(config.http));
  const bool tls = options.tls.has_value();
  auto impl = std::make_unique<RunningBroker::Impl>();
  impl->broker = TRY(Broker::create(std::move(config), dependencies));
  auto& broker = *impl->broker;
  impl->server = TRY(net::HttpServer::start(
      std::move(options), [&broker](const net::ServerRequest& request) { return broker.handle(request); }));
  impl->sweeper = std::make_unique<Sweeper>(broker);
  for (const auto& address : impl->server->addresses()) {
    log::info("broker.listening", {}, {{"url", (tls ? "https://" : "http://") + address}});
  }
  return std::unique_ptr<RunningBroker>(new RunningBroker(std::move(impl)));
}

}  // namespace coffer::keybroker
