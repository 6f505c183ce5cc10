#include "fleet/aggregator/config.h"

#include <array>
#include <fstream>
#include <iterator>

namespace coffer::fleet::aggregator {
namespace {

constexpr auto table = std::to_array<VariableHelp>({
    {"HTTP_HOST", "where to listen (localhost)"},
    {"HTTP_PORT", "0 takes a free one (8086)"},
    {"HTTP_SERVER_CERT", "TLS certificate chain, PEM"},
    {"HTTP_SERVER_KEY", "TLS key, PEM"},
    {"HTTP_WORKERS", "requests served at once (16)"},
    {"URL_FILE", "the address is written there"},
    {"TOKEN_FILE", "the operator's token, which configures rounds"},
    {"KBS_URI", "key broker that attests this program"},
    {"TEE", "a TEE that proves nothing: sample, or simulated:NAME"},
    {"TEE_SIMULATOR", "folder of the simulator's keys"},
    {"AA_CONFIG_PATH", "the attestation agent's configuration"},
    {"INIT_DATA", "TOML file that the TEE vouches for by digest, where it can"},
    {"HTTP_TLS_CA_CERT", "PEM file of a further root for the key broker"},
    {"ATTESTATION_JWKS", "key sets of the brokers whose workers' updates count, separated by commas"},
    {"ATTESTATION_CERTS", "the same as certificates, PEM files"},
    {"ALLOW_TEES", "workers' TEEs that prove nothing and count all the same: sample, simulated:snp"},
    {"MODEL", "JSON file of the first model, {\"w\":[numbers],\"b\":number} (three zeros and a zero)"},
    {"MIN_PARTICIPANTS", "fewest updates that a round may be made of (2)"},
    {"MAX_PARTICIPANTS", "(1024)"},
    {"ROUND_TIMEOUT", "of rounds that name none (60s)"},
    {"CLIP_NORM", "longest update, in the Euclidean norm; 0: as it is (0)"},
    {"MAX_SAMPLES", "most samples that an update may claim (1000000000)"},
    {"MAX_PARAMETERS", "numbers of a model (1000000)"},
    {"MAX_ROUNDS", "rounds that are open at once (64)"},
    {"MAX_MODELS", "models that are kept (16)"},
    {"MAX_HELD", "bytes of updates that wait for their rounds (1073741824)"},
    {"LOG_LEVEL", "error, warn, info, debug (info)"},
});

Result<std::string> read_pem(const Variables& variables, std::string_view name) {
  const auto path = variables.text(name);
  std::ifstream stream(path, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>{stream}, {}};
  if (stream && text.contains("-----BEGIN CERTIFICATE-----")) return text;
  return fail(ConfigError::bad_value,
              variables.name_of(name) + ": " + path + " is no certificate in PEM that can be read");
}

Result<> read_http(const Variables& variables, Config& config) {
  config.http_host = variables.text("HTTP_HOST", config.http_host);
  config.http_port = static_cast<std::uint16_t>(TRY(variables.number("HTTP_PORT", config.http_port, 0, 65535)));
  config.certificate = variables.text("HTTP_SERVER_CERT");
  config.certificate_key = variables.text("HTTP_SERVER_KEY");
  config.http.workers = static_cast<unsigned>(TRY(variables.number("HTTP_WORKERS", 16, 1, 1024)));
  config.http.max_body_size = max_round_update + (max_round_update / 2);  // and what holds it
  config.url_file = variables.text("URL_FILE");
  config.token_file = variables.text("TOKEN_FILE");
  config.insecure_open = TRY(variables.flag("INSECURE_OPEN", false));
  if (config.certificate.empty() != config.certificate_key.empty()) {
    return fail(ConfigError::missing, "AGGREGATOR_HTTP_SERVER_CERT and AGGREGATOR_HTTP_SERVER_KEY go together");
  }
  if (config.insecure_open != config.token_file.empty()) {
    return fail(config.insecure_open ? ConfigError::bad_value : ConfigError::missing,
                "expected either AGGREGATOR_TOKEN_FILE (--token-file), which says who may configure rounds, or "
                "--insecure-open, which lets everybody, as upstream's coordinator does");
  }
  return {};
}

Result<> read_tee(const Variables& variables, Config& config) {
  auto& tee = config.tee;
  tee.outside = TRY(variables.flag("OPEN", false));
  tee.test_tee = variables.text("TEE");
  tee.simulator_directory = variables.text("TEE_SIMULATOR");
  tee.kbs_uri = variables.text("KBS_URI");
  tee.init_data = variables.text("INIT_DATA");
  if (const auto file = variables.find("AA_CONFIG_PATH")) tee.aa_config = *file;
  if (variables.find("HTTP_TLS_CA_CERT")) tee.root_pems.push_back(TRY(read_pem(variables, "HTTP_TLS_CA_CERT")));
  if (!tee.test_tee.empty() && tee.test_tee != "sample" && !tee.test_tee.starts_with("simulated:")) {
    return fail(ConfigError::bad_value, variables.name_of("TEE") + " is \"" + tee.test_tee +
                                            "\"; expected sample or simulated:NAME: a real TEE is detected, not named");
  }
  if (tee.outside && !tee.test_tee.empty()) {
    return fail(ConfigError::bad_value, "expected --open or " + variables.name_of("TEE") + ", found both");
  }
  if (!tee.outside && tee.kbs_uri.empty() && !tee.aa_config) {
    return fail(ConfigError::missing,
                "expected AGGREGATOR_KBS_URI (--kbs-uri), the key broker that attests this program to the workers; "
                "--open runs outside of a TEE, where the host sees every update");
  }
  return {};
}

Result<> read_updates(const Variables& variables, Config& config) {
  config.accept_plain = TRY(variables.flag("ACCEPT_PLAIN_UPDATES", false));
  const bool unattested = TRY(variables.flag("UNATTESTED_WORKERS", false));
  TokenTrustOptions workers;
  workers.tokens.trusted_jwk_sets = variables.list("ATTESTATION_JWKS", ',');
  workers.tokens.trusted_certs_paths = variables.list("ATTESTATION_CERTS", ',');
  workers.allow_tees = variables.list("ALLOW_TEES", ',');
  const bool named = !workers.tokens.trusted_jwk_sets.empty() || !workers.tokens.trusted_certs_paths.empty();
  if (named) config.workers = std::move(workers);
  if (config.tee.outside && !config.accept_plain) {
    return fail(ConfigError::missing,
                "--open goes with --accept-plain-updates: outside of a TEE there is no key to seal to");
  }
  if (config.tee.outside || named != unattested) return {};
  return fail(named ? ConfigError::bad_value : ConfigError::missing,
              "expected either AGGREGATOR_ATTESTATION_JWKS or AGGREGATOR_ATTESTATION_CERTS, which say whose workers' "
              "updates count, or --unattested-workers, which counts everybody's who knows a participant's id");
}

Result<> read_limits(const Variables& variables, Config& config) {
  auto& limits = config.aggregator;
  auto& rounds = limits.rounds;
  rounds.min_participants = TRY(variables.number("MIN_PARTICIPANTS", rounds.min_participants, 1, 1024));
  rounds.max_participants = TRY(variables.number("MAX_PARTICIPANTS", rounds.max_participants, 1, 1024));
  rounds.timeout = TRY(variables.duration("ROUND_TIMEOUT", rounds.timeout));
  limits.updates.max_samples = TRY(variables.number("MAX_SAMPLES", limits.updates.max_samples, 1, 1ULL << 40));
  limits.max_parameters = TRY(variables.number("MAX_PARAMETERS", limits.max_parameters, 1, 1'000'000));
  limits.max_open_rounds = TRY(variables.number("MAX_ROUNDS", limits.max_open_rounds, 1, 4096));
  limits.max_models = TRY(variables.number("MAX_MODELS", limits.max_models, 1, 4096));
  limits.max_held = TRY(variables.number("MAX_HELD", limits.max_held, 1U << 20));
  const auto norm = variables.text("CLIP_NORM", "0");
  const auto number = codec::json::parse(norm);
  const auto value = number ? number->if_double() : std::nullopt;
  if (!value || *value < 0) {
    return fail(ConfigError::bad_value,
                variables.name_of("CLIP_NORM") + " is \"" + norm + "\"; expected a number from 0 up");
  }
  limits.updates.clip_norm = *value;
  if (rounds.min_participants <= rounds.max_participants) return {};
  return fail(ConfigError::bad_value, variables.name_of("MIN_PARTICIPANTS") + " is over AGGREGATOR_MAX_PARTICIPANTS");
}

void add_notices(Config& config) {
  auto& notices = config.notices;
  if (config.insecure_open) notices.emplace_back("EVERYBODY MAY CONFIGURE ROUNDS (--insecure-open)");
  if (config.tee.outside)
    notices.emplace_back("THIS HOST SEES EVERY UPDATE: the aggregator runs outside of a TEE (--open)");
  if (config.accept_plain) {
    notices.emplace_back(
        "updates that are not sealed are taken (--accept-plain-updates): everybody on their way sees and "
        "can forge them");
  }
  if (!config.workers) notices.emplace_back("updates count without proof of whose they are");
  if (config.aggregator.rounds.min_participants < 2) {
    notices.emplace_back("a round of one participant shows its update: AGGREGATOR_MIN_PARTICIPANTS is 1");
  }
}

}  // namespace

Result<Config> read_config(const Variables& variables) {
  Config config;
  config.log_level = variables.text("LOG_LEVEL", config.log_level);
  config.model_file = variables.text("MODEL");
  TRY(read_http(variables, config));
  TRY(read_tee(variables, config));
  TRY(read_updates(variables, config));
  TRY(read_limits(variables, config));
  add_notices(config);
  return config;
}

std::span<const VariableHelp> variable_help() {
  return table;
}

}  // namespace coffer::fleet::aggregator
