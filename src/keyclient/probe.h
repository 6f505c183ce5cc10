// What stands at an address: seed 000's table of broker modes as a function.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "keyclient/error.h"
#include "net/http_client.h"

namespace coffer::keyclient {

enum class BrokerKind {
  background_check,  // attests and releases
  passport,          // releases for tokens of an issuer, attests nobody
  no_trust_anchor,   // our broker without attestation service and without anyone to believe
  not_a_broker,      // something else answers
  unreachable,       // nothing answers
};
std::string_view name_of(BrokerKind kind);  // "background-check", "passport", "no-trust-anchor", ...

struct ProbeOptions {
  std::shared_ptr<net::HttpClient> http{};
  std::vector<std::string> extra_root_pems{};
  Duration timeout = std::chrono::seconds{10};
};

struct ProbeResult {
  BrokerKind kind = BrokerKind::unreachable;
  std::string url;
  std::string software{};                   // "coffer-kbs 0.1.0", "Trustee KBS"; empty where unknown
  std::string protocol_version{};           // "0.4.0"; empty where the broker gives no hint
  bool version_matches = false;             // ours is the broker's
  std::vector<std::string> tees{};          // what our broker says it accepts
  bool unattested_reads = false;            // our broker serves without attestation
  std::vector<std::string> observations{};  // each request and what came back, in order
  std::string advice{};                     // what to do next, one sentence
};

// Sends at most three small requests, none of which opens a session. Never fails: trouble is a kind.
ProbeResult probe(const std::string& url, const ProbeOptions& options = {});

}  // namespace coffer::keyclient
