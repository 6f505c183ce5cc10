#include "fleet/aggregator/serve.h"

#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <mutex>
#include <thread>

#include "base/log.h"
#include "fleet/aggregator/rest.h"
#include "workload/key_access.h"

namespace coffer::fleet::aggregator {
namespace {

constexpr std::size_t max_small_file = 1U << 20;

Result<std::string> read_file(const std::string& path, std::string_view what, std::size_t most) {
  std::error_code error;
  const auto size = std::filesystem::file_size(path, error);
  std::ifstream stream(path, std::ios::binary);
  if (!error && stream && size <= most) return std::string{std::istreambuf_iterator<char>{stream}, {}};
  return fail(ConfigError::unreadable,
              std::string{what} + ": " + path + " cannot be read, or is over " + std::to_string(most) + " bytes");
}

Result<SecretBytes> read_secret(const std::string& path, std::string_view what) {
  auto text = TRY(read_file(path, what, max_small_file));
  while (text.ends_with('\n') || text.ends_with('\r')) text.pop_back();
  auto secret = SecretBytes::copy_of(std::string_view{text});
  wipe({reinterpret_cast<std::byte*>(text.data()), text.size()});
  return secret;
}

Result<SecretBytes> read_token(const Config& config) {
  if (config.token_file.empty()) return SecretBytes{};
  auto token = TRY(read_secret(config.token_file, "AGGREGATOR_TOKEN_FILE"));
  if (!token.empty()) return token;
  return fail(ConfigError::unreadable, "AGGREGATOR_TOKEN_FILE: " + config.token_file + " is empty");
}

Result<net::ServerOptions> server_options(Config& config) {
  auto options = std::move(config.http);
  auto host = config.http_host == "localhost" ? "127.0.0.1" : config.http_host;
  if (host.contains(':')) host = "[" + host + "]";
  options.sockets = {host + ":" + std::to_string(config.http_port)};
  options.refusal = Rest::refusal;
  if (config.certificate.empty()) return options;
  net::TlsIdentity identity;
  identity.certificate_chain_pem = TRY(read_file(config.certificate, "AGGREGATOR_HTTP_SERVER_CERT", max_small_file));
  identity.private_key_pem = TRY(read_secret(config.certificate_key, "AGGREGATOR_HTTP_SERVER_KEY"));
  options.tls = std::move(identity);
  return options;
}

// Upstream's model registry begins with this one.
Result<Model> first_model(const Config& config) {
  if (config.model_file.empty()) return Model{.values = {0, 0, 0, 0}, .has_bias = true};
  const auto text = TRY(read_file(config.model_file, "AGGREGATOR_MODEL", max_round_update));
  const auto document = TRY(parse_update_object(text));
  return Model::read(document, 0, config.aggregator.max_parameters);
}

Result<workload::KeyAccess> open_keys(const TeeSettings& tee) {
  keyclient::AaConfig agent;
  if (tee.aa_config) agent = TRY(keyclient::load_aa_config(*tee.aa_config));
  for (const auto& notice : agent.notices) log::warn("aggregator.aa_config", notice);
  if (agent.offline) {
    return fail(ConfigError::unsupported, "the aa-config takes keys from files; an aggregator attests");
  }
  workload::KeySettings settings;
  TRY(workload::add_aa_config(agent, settings));
  settings.kbs_url = tee.kbs_uri.empty() ? agent.kbs_url : tee.kbs_uri;
  settings.issuer_url = agent.issuer_url;
  settings.mode = agent.issuer_url.empty() ? workload::Mode::background_check : workload::Mode::passport;
  settings.mode_reason = "aggregators attest to the broker";
  settings.tee = tee.test_tee;
  settings.simulator_directory = tee.simulator_directory;
  settings.root_pems.insert(settings.root_pems.end(), tee.root_pems.begin(), tee.root_pems.end());
  if (!tee.init_data.empty()) {
    auto text = TRY(read_file(tee.init_data.string(), "AGGREGATOR_INIT_DATA", max_small_file));
    settings.init_data = TRY(evidence::InitData::parse(std::move(text)));
  }
  auto keys = workload::KeyAccess::open(std::move(settings));
  if (keys || keys.error().code != workload::WorkloadError::no_tee) return keys;
  return fail(AggregatorError::no_tee,
              keys.error().message + "; --open runs outside of a TEE, where this host sees every update");
}

// Closes rounds when their time is over, and sleeps until the next one's.
class Closer {
 public:
  void start(Aggregator& aggregator) {
    thread_ = std::jthread([this, &aggregator](const std::stop_token& stop) { run(aggregator, stop); });
  }
  void wake() {
    {
      const std::scoped_lock lock(mutex_);
      changed_ = true;
    }
    wake_.notify_one();
  }
  void stop() { thread_ = {}; }

 private:
  void run(Aggregator& aggregator, const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      const auto next = aggregator.expire();
      std::unique_lock lock(mutex_);
      const auto changed = [this] { return std::exchange(changed_, false); };
      if (next) {
        wake_.wait_until(lock, stop, *next, changed);
      } else {
        wake_.wait(lock, stop, changed);
      }
    }
  }

  std::mutex mutex_;
  std::condition_variable_any wake_;
  bool changed_ = false;
  std::jthread thread_;
};

}  // namespace

struct RunningAggregator::Impl {
  net::MetricsRegistry metrics;
  std::optional<workload::KeyAccess> keys;
  std::unique_ptr<Prover> prover;
  std::unique_ptr<Intake> intake;
  std::unique_ptr<Aggregator> aggregator;
  std::unique_ptr<Rest> rest;
  Closer closer;
  std::unique_ptr<net::HttpServer> server;
  std::string url;

  Result<> start(Config config);
  Result<> attest(const TeeSettings& tee);
  Result<> listen(Config& config);
};

Result<> RunningAggregator::Impl::attest(const TeeSettings& tee) {
  if (tee.outside) return {};
  keys = TRY(open_keys(tee));
  prover = std::make_unique<Prover>(keys->tokens, system_clock());
  return prover->attest();
}

Result<> RunningAggregator::Impl::start(Config config) {
  for (const auto& notice : config.notices) log::warn("aggregator.notice", notice);
  auto model = TRY(first_model(config));
  TRY(attest(config.tee));
  IntakeOptions intake_options{.accept_plain = config.accept_plain};
  if (config.workers) intake_options.workers = TRY(TokenTrust::create(*config.workers));
  intake = std::make_unique<Intake>(std::move(intake_options), prover.get(), system_clock());
  auto options = config.aggregator;
  if (prover) options.sign = [this](RoundStatement statement) { return prover->sign(std::move(statement)); };
  options.closed = [this](const RoundView& round) { rest->count_closed(round); };
  aggregator = std::make_unique<Aggregator>(std::move(options), std::move(model), system_clock());
  return listen(config);
}

Result<> RunningAggregator::Impl::listen(Config& config) {
  auto token = TRY(read_token(config));
  rest = TRY(Rest::create({.aggregator = *aggregator,
                           .intake = *intake,
                           .prover = prover.get(),
                           .operator_token = std::move(token),
                           .configured = [this] { closer.wake(); }},
                          metrics));
  closer.start(*aggregator);
  const bool tls = !config.certificate.empty();
  server = TRY(net::HttpServer::start(TRY(server_options(config)),
                                      [this](const net::ServerRequest& request) { return rest->handle(request); }));
  url = (tls ? "https://" : "http://") + server->addresses().front();
  log::info("aggregator.listening", {}, {{"url", url}, {"tee", keys ? keys->tee : "none"}});
  if (config.url_file.empty()) return {};
  std::ofstream stream{config.url_file};
  stream << url << "\n";
  if (stream) return {};
  return fail(ConfigError::unreadable, "AGGREGATOR_URL_FILE: " + config.url_file + " cannot be written");
}

RunningAggregator::RunningAggregator(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

RunningAggregator::~RunningAggregator() {
  stop();
}

const std::string& RunningAggregator::url() const {
  return impl_->url;
}

void RunningAggregator::stop() {
  if (impl_->server) impl_->server->stop();
  impl_->closer.stop();
}

Result<std::unique_ptr<RunningAggregator>> serve(Config config) {
  auto impl = std::make_unique<RunningAggregator::Impl>();
  TRY(impl->start(std::move(config)));
  return std::unique_ptr<RunningAggregator>(new RunningAggregator(std::move(impl)));
}

}  // namespace coffer::fleet::aggregator
