#include "workload/mode_decision.h"

#include "base/log.h"

namespace coffer::workload {
namespace {

using keyclient::BrokerKind;
using keyclient::KeyClientError;

std::string observed(const keyclient::ProbeResult& broker) {
  return broker.observations.empty() ? "" : " (" + broker.observations.back() + ")";
}

std::unexpected<Error> no_way(KeyClientError code, const keyclient::ProbeResult& broker, std::string_view what) {
  return fail(code, broker.url + " " + std::string{what} + observed(broker) + "; " + broker.advice);
}

// Seed 000 calls passport mode RCAR and greps for these two sentences.
std::string_view seed_words(const Decision& decision) {
  if (decision.unattested) return "Using no attestation: the broker serves without it";
  switch (decision.mode) {
    case Mode::background_check: return "Using background check client";
    case Mode::passport: return "Using RCAR client";
    default: return "Using local key files";
  }
}

void announce(const Decision& decision) {
  log::info("runner.mode", seed_words(decision),
            {{"mode", std::string{name_of(decision.mode)}}, {"because", decision.reason}});
}

Result<Decision> decide_open(const KeySettings& settings) {
  if (settings.kbs_url.empty()) {
    return fail(
        WorkloadError::usage,
        "the image is encrypted and nothing says where its key is: give --kbs-uri, --aa-config or --offline-keys");
  }
  return decide(settings, keyclient::probe(settings.kbs_url, {.extra_root_pems = settings.root_pems}));
}

}  // namespace

Result<Decision> decide(const KeySettings& settings, const keyclient::ProbeResult& broker) {
  switch (broker.kind) {
    case BrokerKind::unreachable: return no_way(KeyClientError::unreachable, broker, "does not answer");
    case BrokerKind::not_a_broker: return no_way(KeyClientError::not_a_broker, broker, "is not a key broker");
    case BrokerKind::background_check:
      if (!broker.protocol_version.empty() && !broker.version_matches) {
        return no_way(KeyClientError::version_mismatch, broker, "speaks protocol " + broker.protocol_version);
      }
      return Decision{Mode::background_check, false, broker.url + " attests and releases" + observed(broker)};
    case BrokerKind::passport:
      if (settings.issuer_url.empty()) {
        return no_way(KeyClientError::no_attestation_service, broker,
                      "is a passport-only broker and no issuer is named");
      }
      return Decision{Mode::passport, false, broker.url + " releases for tokens of an issuer" + observed(broker)};
    case BrokerKind::no_trust_anchor:
      if (!broker.unattested_reads) return no_way(KeyClientError::no_trust_anchor, broker, "believes nobody");
      if (!settings.allow_unattested) {
        return no_way(KeyClientError::no_trust_anchor, broker,
                      "hands out keys without attestation, which this runner takes only with --allow-unattested");
      }
      return Decision{Mode::background_check, true, broker.url + " serves without attestation" + observed(broker)};
  }
  return fail(WorkloadError::usage, "no mode");
}

Result<Decision> decide(const KeySettings& settings) {
  auto decision = settings.mode == Mode::automatic ? TRY(decide_open(settings))
                                                   : Decision{settings.mode, false, settings.mode_reason};
                                                   announce(decision);
                                                   return decision;
}

}  // namespace coffer::workload
