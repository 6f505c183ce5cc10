#include "evidence/vendors/vendor_services.h"

#include <algorithm>
#include <array>
#include <condition_variable>
#include <mutex>

#include "base/log.h"
#include "evidence/dcap/simulate.h"
#include "net/url.h"
#ifdef COFFER_TEE_SNP
#include "evidence/snp/simulate.h"
#endif

namespace coffer::evidence {

namespace json = codec::json;

namespace {

constexpr std::array<std::string_view, 9> known_faults{"rate-limited", "broken",    "gone",    "slow",       "garbage",
                                                       "expired",      "stale-crl", "revoked", "wrong-chain"};
constexpr std::uint64_t longest_delay_ms = 600'000;
constexpr std::uint64_t longest_retry_after = 86'400;
constexpr std::size_t max_counted_targets = 1000;

net::ServerResponse plain(int status, std::string_view text) {
  return net::ServerResponse::text(status, "text/plain", text);
}

// What is behind the service's name: "/amd-kds/vcek/v1/Milan/crl" is "/vcek/v1/Milan/crl" of "amd-kds".
struct Addressed {
  std::string service;
  std::string target;
};
std::optional<Addressed> addressed(std::string_view target) {
  if (!target.starts_with('/')) return std::nullopt;
  const auto slash = target.find('/', 1);
  if (slash == std::string_view::npos) return std::nullopt;
  return Addressed{std::string{target.substr(1, slash - 1)}, std::string{target.substr(slash)}};
}

}  // namespace

struct VendorServices::Dials {
  bool rate_limited = false, broken = false, gone = false, slow = false, garbage = false;
  VendorFaults content{};
  std::uint64_t retry_after = 60;
  Duration delay{};
  std::optional<std::uint64_t> only_first{};
};

struct VendorServices::State {
  std::mutex mutex;
  std::condition_variable ended;
  bool stopped = false;
  std::map<std::string, unsigned> by_service;
  std::map<std::string, unsigned> by_target;
};

VendorServices::VendorServices(std::filesystem::path directory)
    : directory_(std::move(directory)), state_(std::make_unique<State>()) {}
VendorServices::~VendorServices() = default;

Result<std::unique_ptr<VendorServices>> VendorServices::open(const std::filesystem::path& simulator_directory) {
  TRY(load_simulator_root(simulator_directory));
  std::unique_ptr<VendorServices> out{new VendorServices(simulator_directory)};
  const std::shared_ptr<SimulatedVendor> pcs = dcap::make_simulated_pcs(simulator_directory);
  out->vendors_ = {{"intel-pcs", pcs}, {"intel-certificates", pcs}};
#ifdef COFFER_TEE_SNP
  out->vendors_.emplace("amd-kds", snp::make_simulated_kds(simulator_directory));
#endif
  for (const auto& [service, vendor] : out->vendors_) TRY(out->read_dials(service));
  return out;
}

Result<VendorServices::Dials> VendorServices::read_dials(const std::string& service) const {
  const auto settings = TRY(load_simulator_settings(directory_, service));
  Dials out;
  TRY(settings.read_faults({{"rate-limited", &out.rate_limited},
                            {"broken", &out.broken},
                            {"gone", &out.gone},
                            {"slow", &out.slow},
                            {"garbage", &out.garbage},
                            {"expired", &out.content.expired},
                            {"stale-crl", &out.content.stale_crl},
                            {"revoked", &out.content.revoked},
                            {"wrong-chain", &out.content.wrong_chain}}));
  out.retry_after = TRY(settings.number("retry_after", longest_retry_after))
  .value_or(out.retry_after);
  const auto delay = TRY(settings.number("delay_ms", longest_delay_ms));
  if (out.slow) out.delay = std::chrono::milliseconds{delay.value_or(60'000)};
  out.only_first = TRY(settings.number("only_first", 1'000'000));
  return out;
}

net::ServerResponse VendorServices::answer(const net::ServerRequest& request) {
  if (request.path == "/requests") return statistics();
  if (request.method != "GET" && request.method != "HEAD") return plain(405, "these services are asked by GET\n");
  const auto to = addressed(request.target);
  if (!to || !vendors_.contains(to->service)) return plain(404, "no such service\n");
  const auto seen = count(to->service, request.target);
  auto dials = read_dials(to->service);
  if (!dials) {
    log::warn("simulator.bad_dials", dials.error().message, {{"service", to->service}});
    return plain(500, "the dials of this service do not read\n");
  }
  const auto only_first = dials->only_first;
  if (only_first && seen > *only_first) dials = Dials{};
  return serve(to->service, to->target, *dials);
}

net::ServerResponse VendorServices::serve(const std::string& service, const std::string& target, const Dials& dials) {
  wait(dials.delay);
  if (dials.rate_limited) {
    auto out = plain(429, "too many requests\n");
    out.headers.set("Retry-After", std::to_string(dials.retry_after));
    return out;
  }
  if (dials.broken) return plain(500, "internal error\n");
  if (dials.gone) return plain(404, "not found\n");
  if (dials.garbage) return plain(200, "<html>maintenance</html>\n");
  const auto answer = vendors_.at(service)->answer(service, target, dials.content, system_clock().now());
  if (!answer && answer.error().code == CollateralError::not_found) return plain(404, answer.error().message + "\n");
  if (!answer) {
    log::error("simulator.vendor_failed", answer.error().message, {{"service", service}});
    return plain(500, "the simulator failed\n");
  }
  auto out = net::ServerResponse::text(200, answer->content_type, as_text(answer->blob.body));
  if (!answer->chain_header.empty()) {
    out.headers.set(answer->chain_header, net::percent_encode(answer->blob.issuer_chain));
  }
  return out;
}

// {"services": {"amd-kds": 3, ...}, "targets": {"/amd-kds/vcek/...": 1, ...}}
net::ServerResponse VendorServices::statistics() {
  const std::scoped_lock lock{state_->mutex};
  json::Object services;
  for (const auto& [service, vendor] : vendors_) services.append(service, state_->by_service[service]);
  json::Object targets;
  for (const auto& [target, number] : state_->by_target) targets.append(target, number);
  return net::ServerResponse::text(
      200, "application/json",
      json::serialize(json::Object{{"services", std::move(services)}, {"targets", std::move(targets)}}));
}

unsigned VendorServices::count(const std::string& service, const std::string& target) {
  const std::scoped_lock lock{state_->mutex};
  if (state_->by_target.size() < max_counted_targets || state_->by_target.contains(target)) ++state_->by_target[target];
  return ++state_->by_service[service];
}

void VendorServices::wait(Duration time) {
  if (time <= Duration{}) return;
  std::unique_lock lock{state_->mutex};
  state_->ended.wait_for(lock, time, [this] { return state_->stopped; });
}

void VendorServices::stop() {
  {
    const std::scoped_lock lock{state_->mutex};
    state_->stopped = true;
  }
  state_->ended.notify_all();
}

Result<> check_vendor_fault(std::string_view fault) {
  if (std::ranges::find(known_faults, fault) != known_faults.end()) return {};
  std::string names;
  for (const auto name : known_faults) names += (names.empty() ? "" : ", ") + std::string{name};
  return fail(EvidenceError::bad_config,
              "\"" + std::string{fault} + "\" is no fault of a vendor's service; known are " + names);
}

}  // namespace coffer::evidence
