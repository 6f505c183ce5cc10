// The routes of upstream's coordinator and model registry (examples/fl-demo), by its shapes, and GET /attestation,
// which is ours. Errors are {"error","code"}.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/secret_bytes.h"
#include "fleet/aggregator/aggregator.h"
#include "fleet/aggregator/intake.h"
#include "net/http_server.h"
#include "net/metrics.h"

namespace coffer::fleet::aggregator {

class Rest {
 public:
  struct Parts {
    Aggregator& aggregator;
    const Intake& intake;
    Prover* prover = nullptr;      // null outside of a TEE
    SecretBytes operator_token{};  // configures rounds and stores models; empty: everybody may
    std::function<void()> configured{};
  };
  static Result<std::unique_ptr<Rest>> create(Parts parts, net::MetricsRegistry& metrics);

  // Safe to call from any number of threads.
  net::ServerResponse handle(const net::ServerRequest& request);
  // The same document for what the server refuses before it is a request.
  static net::ServerResponse refusal(int status, std::string_view why);
  // Counts a round that has closed.
  void count_closed(const RoundView& round);

 private:
  using Answer = Result<net::ServerResponse>;
  struct Call {
    const net::ServerRequest& request;
    std::vector<std::string> segments;
    std::map<std::string, std::string> query;
  };
  struct Route {
    std::string_view method, path;  // "/rounds/*/complete"
    Answer (Rest::*handler)(const Call&);
    bool for_operators = false;
  };
  static const std::vector<Route>& routes();

  Rest(Parts parts, net::MetricsRegistry& metrics, net::Counter updates, net::Counter rounds, net::Histogram latency,
       net::Gauge state);
  Answer dispatch(const net::ServerRequest& request, std::string_view& name);
  Result<> check_operator(const net::ServerRequest& request) const;

  Answer configure(const Call& call);
  Answer task(const Call& call);
  Answer update(const Call& call);
  Answer update_cbor(const Call& call);
  Answer round(const Call& call);
  Answer next_round(const Call& call);
  Answer list_models(const Call& call);
  Answer get_model(const Call& call);
  Answer store_model(const Call& call);
  Answer attestation(const Call& call);
  Answer health(const Call& call);
  Answer metrics(const Call& call);

  Parts parts_;
  net::MetricsRegistry& registry_;
  net::Counter updates_, rounds_;
  net::Histogram latency_;
  net::Gauge state_;
};

}  // namespace coffer::fleet::aggregator
