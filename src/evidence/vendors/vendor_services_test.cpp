// The simulated vendors over HTTP, asked by the cache and the verifiers of the product.
#include "evidence/vendors/vendor_services.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/log.h"
#include "evidence/chosen_attester.h"
#include "evidence/dcap/simulate.h"
#include "evidence/verifier_setup.h"
#include "testing/temporary_directory.h"

namespace coffer::evidence {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

constexpr std::string_view amd = "amd-kds";

class Vendors : public testing::Test {
 protected:
  Vendors() {
    EXPECT_TRUE(write_simulator_root(simulator.path(), make_simulator_root(system_clock().now()).value()));
    services = VendorServices::open(simulator.path()).value();
    net::ServerOptions options;
    options.sockets = {"127.0.0.1:0"};
    server = net::HttpServer::start(std::move(options), [this](const auto& request) {
               return services->answer(request);
             }).value();
  }
  ~Vendors() override { services->stop(); }

  void set(std::string_view service, std::vector<std::string> faults, codec::json::Object values = {}) const {
    EXPECT_TRUE(save_simulator_settings(simulator.path(), service, {std::move(faults), std::move(values)}));
  }
  net::HttpResponse get(const std::string& path) const {
    return net::HttpClient::create().value()->send({.url = url() + path}).value();
  }
  std::string url() const { return "http://" + server->addresses().front(); }

  // A verifier whose cache knows nothing yet.
  std::string verdict(std::string_view tee, std::string_view snp_verifier = "{}") const {
    const auto name = "simulated:" + std::string{tee};
    auto registry = make_verifiers({.allow_tees = {name},
                                    .verifier_config = {{"snp_verifier", codec::json::parse(snp_verifier).value()}},
                                    .simulator_roots = {simulator.path() / "root.pem"},
                                    .collateral = {.base_urls = {{"amd-kds", url() + "/amd-kds"},
                                                                 {"intel-pcs", url() + "/intel-pcs"},
                                                                 {"intel-certificates", url() + "/intel-certificates"}},
                                                   .budget = 2s}});
    if (!registry) return to_string(registry.error());
    const auto attester = ChosenAttester::choose({.tee = name, .simulator_directory = simulator.path()}).value();
    const auto evidence = attester.attester().attest(Bytes(48)).value();
    const auto* verifier = registry->verifier(parse_tee_kind(tee).value()).value();
    const auto claims = verifier->verify(evidence, {Bytes(48), {}}, system_clock().now());
    return claims ? "accepted" : std::string{claims.error().code.name()};
  }

  TemporaryDirectory simulator;
  std::unique_ptr<VendorServices> services;
  std::unique_ptr<net::HttpServer> server;
};

TEST_F(Vendors, a_machine_without_certificates_is_verified_by_what_the_services_have) {
  set("snp", {"no-certificates"});
  EXPECT_EQ(verdict("snp"), "accepted");
  EXPECT_EQ(verdict("snp", R"({"revocation_checks":"required"})"), "accepted");
  EXPECT_EQ(verdict("tdx"), "accepted");
  EXPECT_EQ(verdict("sgx"), "accepted");
  const auto counted = codec::json::parse(as_text(get("/requests").body)).value();
  EXPECT_EQ(*counted.at_pointer("/services/amd-kds"), codec::json::Value{5});
  EXPECT_EQ(*counted.at_pointer("/services/intel-pcs"), codec::json::Value{6});
  EXPECT_EQ(*counted.at_pointer("/services/intel-certificates"), codec::json::Value{2});
}

TEST_F(Vendors, each_fault_has_its_own_code) {
  set("snp", {"no-certificates"});
  const std::map<std::string, std::pair<std::string, std::string>> codes{
      {"rate-limited", {"collateral.rate_limited", "collateral.rate_limited"}},
      {"broken", {"collateral.unreachable", "collateral.unreachable"}},
      {"gone", {"collateral.not_found", "collateral.not_found"}},
      {"garbage", {"collateral.malformed", "collateral.malformed"}},
      {"expired", {"snp.not_valid_at_time", "collateral.expired"}},
      {"stale-crl", {"collateral.expired", "collateral.expired"}},
      {"revoked", {"snp.revoked", "dcap.ca_revoked"}},
      {"wrong-chain", {"snp.untrusted_chain", "dcap.untrusted_root"}}};
  for (const auto& [fault, expected] : codes) {
    for (const auto service : {"amd-kds", "intel-pcs", "intel-certificates"}) set(service, {fault});
    const auto* required = fault == "expired" ? "{}" : R"({"revocation_checks":"required"})";
    EXPECT_EQ(verdict("snp", required), expected.first) << fault;
    EXPECT_EQ(verdict("tdx"), expected.second) << fault;
  }
}

TEST_F(Vendors, a_slow_service_is_given_up_in_time) {
  set("snp", {"no-certificates"});
  set(amd, {"slow"});
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(verdict("snp"), "collateral.unreachable");
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 10s);
}

TEST_F(Vendors, a_fault_may_pass) {
  set("snp", {"no-certificates"});
  set(amd, {"broken"}, {{"only_first", 1}});
  EXPECT_EQ(verdict("snp"), "accepted");
}

TEST_F(Vendors, a_limit_says_how_long) {
  set(amd, {"rate-limited"}, {{"retry_after", 7}});
  const auto answer = get("/amd-kds/vcek/v1/Milan/crl");
  EXPECT_EQ(answer.status, 429);
  EXPECT_EQ(answer.headers.get("Retry-After"), "7");
}

TEST_F(Vendors, other_machines_services_and_methods_are_refused) {
  EXPECT_EQ(get("/amd-kds/vcek/v1/Milan/" + std::string(128, '0') + "?blSPL=04").status, 404);
  EXPECT_EQ(get("/amd-kds/vcek/v1/Naples/crl").status, 404);
  EXPECT_EQ(get("/intel-pcs/sgx/certification/v4/tcb?fmspc=000000000000&update=early").status, 404);
  EXPECT_EQ(get("/nobody/x").status, 404);
  EXPECT_EQ(get("/").status, 404);
  EXPECT_EQ(services->answer({.method = "POST", .target = "/amd-kds/x", .path = "/amd-kds/x"}).status, 405);
}

TEST_F(Vendors, dials_that_do_not_read_are_an_error_of_the_server) {
  set(amd, {"no-such-fault"});
  EXPECT_EQ(get("/amd-kds/vcek/v1/Milan/crl").status, 500);
  EXPECT_FALSE(VendorServices::open(simulator.path()));
  EXPECT_THAT(check_vendor_fault("no-such-fault").error().message, HasSubstr("wrong-chain"));
  EXPECT_TRUE(check_vendor_fault("gone"));
}

TEST_F(Vendors, without_a_simulator_there_is_nothing_to_serve) {
  const TemporaryDirectory empty;
  EXPECT_FALSE(VendorServices::open(empty.path()));
}

}  // namespace
}  // namespace coffer::evidence
