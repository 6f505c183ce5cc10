#include "keybroker/broker.h"

#include <algorithm>
#include <array>
#include <span>

#include "base/log.h"
#include "keybroker/assembly.h"
#include "keybroker/endpoints.h"
#include "keybroker/refusal.h"

namespace coffer::keybroker {
namespace {

struct Row {
  std::string_view endpoint;
  std::string_view method;
  Endpoint run;
};

// The first segment selects; a builtin hit with another method falls through to the plugins and is not found there, as
// upstream does (trustee.md 1.1).
constexpr std::array rows{
    Row{"auth", "POST", endpoints::auth},
    Row{"attest", "POST", endpoints::attest},
    Row{"resource-policy", "POST", endpoints::set_resource_policy},
    Row{"resource-policy", "GET", endpoints::get_resource_policy},
    Row{"resource-policy", "DELETE", endpoints::delete_resource_policy},
    Row{"attestation-policy", "POST", endpoints::set_attestation_policy},
    Row{"attestation-policy", "GET", endpoints::get_attestation_policy},
    Row{"attestation-policy", "DELETE", endpoints::delete_attestation_policy},
    Row{"reference-value", "POST", endpoints::register_reference_value},
    Row{"reference-value", "GET", endpoints::get_reference_value},
    Row{"reference-value", "DELETE", endpoints::delete_reference_value},
    Row{"audit", "GET", endpoints::audit},
    Row{"info", "GET", endpoints::info},
};

constexpr std::array resource_rows{
    Row{"resource", "GET", endpoints::get_resource},
    Row{"resource", "POST", endpoints::set_resource},
    Row{"resource", "DELETE", endpoints::delete_resource},
    Row{"resources", "GET", endpoints::list_resources},
};

Endpoint find_row(std::span<const Row> table, std::string_view endpoint, std::string_view method) {
  for (const auto& row : table) {
    if (row.endpoint == endpoint && row.method == method) return row.run;
  }
  return nullptr;
}

Result<Endpoint> select(const Services& services, const Route& route, std::string_view method) {
  if (const auto run = find_row(rows, route.endpoint(), method)) return run;
  if (services.config.resources.enabled) {
    if (const auto run = find_row(resource_rows, route.endpoint(), method)) return run;
    if (route.endpoint() == "resource") {
      return fail(BrokerError::method_not_allowed, "expected GET, POST or DELETE, found " + std::string{method});
    }
  }
  return fail(BrokerError::no_such_endpoint, "Plugin " + route.endpoint() + " not found");
}

Result<net::ServerResponse> dispatch(Services& services, const net::ServerRequest& request) {
  const auto limit = services.config.http.max_body_size;
  if (request.body.size() > limit) {
    return fail(BrokerError::body_too_large, "a body of " + std::to_string(request.body.size()) +
                                                 " bytes is over the limit of " + std::to_string(limit) +
                                                 " (payload_request_size)");
  }
  const auto route = TRY(parse_route(request));
  const auto run = TRY(select(services, route, request.method));
  return run({services, request, route});
}

// Liveness as upstream has it, and readiness: a broker that cannot reach its store serves nothing.
net::ServerResponse health(Services& services) {
  const auto answer = services.store->get("kbs", "resource-policy.rego");
  return net::ServerResponse::text(answer ? 200 : 503, "text/plain", answer ? "" : "the store cannot be reached\n");
}

std::optional<net::ServerResponse> outside_prefix(Services& services, const net::ServerRequest& request) {
  if (request.path != "/healthz" && request.path != "/metrics") return std::nullopt;
  if (request.method != "GET") return net::ServerResponse::text(405, "text/plain", "expected GET\n");
  if (request.path == "/healthz") return health(services);
  return net::ServerResponse::text(200, net::MetricsRegistry::content_type, services.metrics->exposition());
}

net::ServerResponse answer(Services& services, const net::ServerRequest& request) {
  if (auto response = outside_prefix(services, request)) return *std::move(response);
  auto response = dispatch(services, request);
  if (response) return *std::move(response);
  log::debug("broker.refused", response.error().message,
             {{"code", std::string{response.error().code.name()}}, {"method", request.method}, {"path", request.path}});
  return to_response(response.error(), services.config.coffer.missing_resource_status);
}

void log_mode(const Services& services) {
  const auto& config = services.config;
  switch (services.mode()) {
    case Mode::background_check:
      log::info("broker.mode", "KBS mode: background check (RCAR handshake with evidence)",
                {{"mode", "background_check"}, {"attestation_service", std::string{services.attestation->name()}}});
      break;
    case Mode::passport:
      log::info("broker.mode", "KBS mode: passport (no attestation service; tokens of a trusted issuer are accepted)",
                {{"mode", "passport"}});
      break;
    case Mode::no_trust_anchor:
      log::warn("broker.mode", "KBS mode: neither background check nor passport: " + std::string{missing_anchor_text},
                {{"mode", "no_trust_anchor"}});
  }
  if (config.coffer.unattested_reads) {
    log::warn("broker.unattested_reads", "unattested_reads is on: EVERY RESOURCE IS SERVED IN PLAINTEXT TO ANYONE");
  }
  if (config.admin.mode == AdminMode::insecure_allow_all) {
    log::warn("broker.admin_open",
              "administration needs no key (InsecureAllowAll): anyone may read and set everything");
  }
  if (config.admin.mode == AdminMode::deny_all) {
    log::info("broker.admin_denied", "nobody may administer this broker (DenyAll, or no [admin] section)");
  }
  if (config.storage.kind == StorageKind::memory) {
    log::info("broker.memory_store", "state is kept in memory and lost at the end; see [storage_backend]");
  }
}

}  // namespace

std::string_view name_of(Mode mode) {
  switch (mode) {
    case Mode::background_check: return "background-check";
    case Mode::passport: return "passport";
    case Mode::no_trust_anchor: return "no-trust-anchor";
  }
  return "no-trust-anchor";
}

struct Broker::Impl {
  std::unique_ptr<Services> services;
};

Broker::Broker(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Broker::~Broker() = default;

Result<std::unique_ptr<Broker>> Broker::create(Config config, const Dependencies& dependencies) {
  for (const auto& notice : config.notices) log::warn("broker.configuration", notice);
  auto services = TRY(assemble(std::move(config), dependencies));
  log_mode(*services);
  return std::unique_ptr<Broker>(new Broker(std::make_unique<Impl>(std::move(services))));
}

net::ServerResponse Broker::handle(const net::ServerRequest& request) {
  auto& services = *impl_->services;
  auto& metrics = services.http_metrics;
  const auto begin = std::chrono::steady_clock::now();
  metrics.requests.increment();
  metrics.request_size.observe(static_cast<double>(request.body.size()));
  metrics.active.add(1);
  net::ServerResponse response;
  try {
    response = answer(services, request);
  } catch (const std::exception& failure) {  // memory, or a defect: one request is lost, not the broker
    log::error("broker.exception", failure.what(), {{"path", request.path}});
    response = net::ServerResponse::text(500, "text/plain", "internal error\n");
  }
  metrics.active.add(-1);
  metrics.response_size.observe(static_cast<double>(response.body.size()));
  metrics.duration.observe(std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
  return response;
}

Mode Broker::mode() const {
  return impl_->services->mode();
}
const Config& Broker::config() const {
  return impl_->services->config;
}

Result<std::size_t> Broker::sweep() {
  auto& services = *impl_->services;
  const auto now = services.clock.now();
  const auto sessions = TRY(services.sessions.sweep(now));
  const auto tokens = TRY(services.issued.sweep(now));
  return sessions + tokens + TRY(services.audit.prune());
}

}  // namespace coffer::keybroker
