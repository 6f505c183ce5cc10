// The whole loop in one process: a real broker on a socket, real sample evidence, a sealed image, the engine.
#include <gmock/gmock.h>

#include <fstream>

#include "guest/runner_testing.h"
#include "keybroker/broker_testing.h"
#include "keybroker/serve.h"
#include "keyclient/error.h"
#include "keyclient/probe.h"

namespace coffer::guest {
namespace {

using keyclient::KeyClientError;
using ::testing::HasSubstr;

class RunnerWithBroker : public RunnerTest {
 protected:
  static keybroker::Config config(keybroker::DefaultPolicy policy) {
    auto config = keybroker::testing::playground();
    config.http.sockets = {"127.0.0.1:0"};
    config.http.insecure_http = true;
    config.coffer.default_policy = policy;
    return config;
  }
  void start(keybroker::Config config) {
    auto broker = keybroker::serve(std::move(config));
    ASSERT_TRUE(broker) << to_string(broker.error());
    broker_ = std::move(*broker);
    url_ = "http://" + broker_->addresses().front();
    options_.kbs_url = url_;
    options_.tee = "sample";
  }
  void store(std::string_view path, std::string_view content) {
    net::ServerRequest request{.method = "POST", .target = "/kbs/v0/resource/" + std::string{path}};
    request.path = request.target;
    request.body = to_bytes(content);
    ASSERT_EQ(broker_->broker().handle(request).status, 200);
  }

  std::unique_ptr<keybroker::RunningBroker> broker_;
  std::string url_;
};

TEST_F(RunnerWithBroker, attests_gets_the_key_and_runs) {
  start(config(keybroker::DefaultPolicy::allow_all));
  store("default/key/k1", kek_);
  put_sealed(adder());
  options_.invoke = "add";
  options_.wasm_args = {"40", "2"};
  EXPECT_EQ(run().exit_code, 0) << why();
  EXPECT_EQ(printed_, "42\n");
  EXPECT_EQ(*outcome_.report.find("mode")->if_string(), "background-check");
  EXPECT_EQ(*outcome_.report.find("tee")->if_string(), "sample");
}

TEST_F(RunnerWithBroker, with_every_kind_of_tee_key) {
  start(config(keybroker::DefaultPolicy::allow_all));
  store("default/key/k1", kek_);
  put_sealed(printer("x"));
  for (const auto* algorithm : {"ECDH-ES+A256KW-P256", "ECDH-ES+A256KW-P521", "RSA-OAEP-256"}) {
    std::ofstream(root_ / "aa.toml") << "[token_configs.kbs]\ntee_key_algorithm = \"" << algorithm << "\"\n";
    options_.aa_config = root_ / "aa.toml";
    EXPECT_EQ(run().exit_code, 0) << algorithm << " " << why();
  }
}

TEST_F(RunnerWithBroker, a_policy_that_says_no_ends_with_122_and_runs_nothing) {
  start(config(keybroker::DefaultPolicy::deny_all));
  store("default/key/k1", kek_);
  put_sealed(printer("never"));
  EXPECT_EQ(failing(), 122);
  EXPECT_EQ(error().code, KeyClientError::policy_denied) << why();
  EXPECT_EQ(printed_, "");
}

TEST_F(RunnerWithBroker, a_missing_and_an_empty_key_end_with_126) {
  start(config(keybroker::DefaultPolicy::allow_all));
  put_sealed(printer("never"));
  EXPECT_EQ(failing(), 126);
  EXPECT_EQ(error().code, KeyClientError::not_found) << why();
}

TEST_F(RunnerWithBroker, sample_evidence_needs_the_brokers_consent) {
  auto strict = config(keybroker::DefaultPolicy::allow_all);
  strict.coffer.allow_tees.clear();
  start(std::move(strict));
  put_sealed(printer("never"));
  EXPECT_EQ(failing(), 122);
  EXPECT_EQ(error().code, KeyClientError::tee_refused) << why();
}

TEST_F(RunnerWithBroker, the_probe_reads_what_our_broker_says) {
  start(config(keybroker::DefaultPolicy::allow_all));
  const auto found = keyclient::probe(url_);
  EXPECT_EQ(found.kind, keyclient::BrokerKind::background_check);
  EXPECT_THAT(found.software, HasSubstr("coffer-kbs"));
  EXPECT_TRUE(found.version_matches);
}

TEST_F(RunnerWithBroker, a_broker_without_anchor_serves_only_where_both_sides_say_so) {
  auto open = config(keybroker::DefaultPolicy::allow_all);
  open.attestation.kind = keybroker::AttestationKind::none;
  open.coffer.unattested_reads = true;
  start(std::move(open));
  store("default/key/k1", kek_);
  put_sealed(printer("x"));
  EXPECT_EQ(failing(), 122) << why();
  options_.allow_unattested = true;
  EXPECT_EQ(run().exit_code, 0) << why();
  EXPECT_EQ(*outcome_.report.find("attested")->if_bool(), false);
}

}  // namespace
}  // namespace coffer::guest
