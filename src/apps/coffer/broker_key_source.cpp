#include "apps/coffer/broker_key_source.h"

#include <CLI/CLI.hpp>

#include "apps/coffer/admin_client.h"
#include "evidence/init_data.h"

namespace coffer::cli {
namespace {

Result<keyclient::HandshakeOptions> handshake_options(const AttestOptions& options) {
  keyclient::HandshakeOptions handshake;
  handshake.tee_key = TRY(keyclient::parse_tee_key_algorithm(options.tee_key));
  if (!options.init_data_file.empty()) {
    handshake.init_data = TRY(evidence::InitData::parse(to_text(TRY(read_file(options.init_data_file, 1U << 20)))));
  }
  return handshake;
}

}  // namespace

void AttestOptions::add_to(CLI::App* command) {
  command->add_option("--tee", tee,
                      "attest as this TEE (default: the one of this machine); sample and simulated:TEE only by name");
  command->add_option("--issuer-uri", issuer_url, "passport mode: the broker that attests and gives the token");
  command->add_option("--tee-key", tee_key, "ECDH-ES+A256KW-P256, ECDH-ES+A256KW-P521 or RSA-OAEP-256")
      ->capture_default_str();
  command->add_option("--init-data", init_data_file, "TOML init-data to send along");
}

Result<std::unique_ptr<Attested>> Attested::create(const Context& context, const AttestOptions& options) {
  auto handshake = TRY(handshake_options(options));
  auto attested = std::make_unique<Attested>();
  attested->attester_ = std::make_unique<evidence::ChosenAttester>(TRY(evidence::ChosenAttester::choose(
      {.tee = options.tee, .init_data = handshake.init_data, .simulator_directory = context.home().simulator()})));

  keyclient::BrokerOptions broker {
    .url = TRY(context.kbs_url())
    , .http = TRY(broker_http_client(context))
  };
  keyclient::BrokerOptions issuer = broker;
  if (!options.issuer_url.empty()) issuer.url = options.issuer_url;
  auto tokens =
      TRY(keyclient::HandshakeTokenSource::create(issuer, attested->attester_->attester(), std::move(handshake)));
  attested->tokens_ = tokens;
  const auto credential = options.issuer_url.empty() ? keyclient::Credential::cookie : keyclient::Credential::bearer;
  attested->resources_ = TRY(keyclient::KbsResourceSource::create(broker, tokens, credential));
  return attested;
}

}  // namespace coffer::cli
