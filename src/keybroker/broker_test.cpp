#include "keybroker/broker.h"

#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "crypto/x509.h"
#include "keybroker/broker_testing.h"
#include "keybroker/error.h"
#include "keybroker/serve.h"
#include "net/http_client.h"

namespace coffer::keybroker::testing {
namespace {

TEST(Broker, is_healthy_while_its_store_answers) {
  TestBroker broker;
  const auto response = broker.get("/healthz");
  EXPECT_EQ(response.status, 200);
  EXPECT_TRUE(response.body.empty());
  EXPECT_EQ(broker.post("/healthz", "").status, 405);
}

class DeadStore final : public storage::KeyValueStore {
 public:
  Result<std::optional<Bytes>> get(std::string_view, std::string_view) override { return trouble(); }
  Result<> put(std::string_view, std::string_view, ByteView) override { return trouble(); }
  Result<> put_if(std::string_view, std::string_view, std::optional<ByteView>, ByteView) override { return trouble(); }
  Result<bool> erase(std::string_view, std::string_view) override { return trouble(); }
  Result<std::vector<std::string>> list(std::string_view, std::string_view, std::string_view, std::size_t) override {
    return trouble();
  }

 private:
  static std::unexpected<Error> trouble() { return fail(storage::StorageError::unavailable, "the database is gone"); }
};

TEST(Broker, without_its_store_is_not_healthy_and_says_so_on_each_request) {
  auto config = playground();
  config.attestation.kind = AttestationKind::none;
  config.coffer.allow_tees.clear();
  config.token_trust.insecure_header_jwk = true;
  TestBroker broker{config, std::make_shared<DeadStore>()};
  EXPECT_EQ(broker.get("/healthz").status, 503);
  EXPECT_EQ(refusal(broker.post("/kbs/v0/resource/a/b/c", "x")), "401 broker.storage_failed PluginInternalError");
  EXPECT_EQ(refusal(broker.get("/kbs/v0/resources")), "401 broker.storage_failed PluginInternalError");
  EXPECT_EQ(
      refusal(broker.get("/kbs/v0/resource/a/b/c", {{"Cookie", "kbs-session-id=0123456789abcdef0123456789abcdef"}})),
      "401 broker.storage_failed PluginInternalError");
  EXPECT_FALSE(broker.broker->sweep());
}

TEST(Broker, counts_under_upstreams_metric_names) {
  TestBroker broker;
  broker.store_resource("default/key/k1", "x");
  TestGuest guest{broker};
  guest.handshake();
  guest.get("default/key/k1");
  const auto text = text_of(broker.get("/metrics"));
  for (const auto* line :
       {"kbs_auth_requests_total 1", "kbs_auth_successes_total 1", "kbs_attestation_requests_total 1",
        "kbs_attestation_successes_total{tee_type=\"sample\"} 1", "kbs_policy_approvals_total 1",
        "kbs_resource_reads_total{resource_path=\"default/key/k1\"} 1",
        "kbs_resource_writes_total{resource_path=\"default/key/k1\"} 1",
        "kbs_plugin_requests_total{plugin_name=\"resource\"} 2", "kbs_http_requests_total 5", "kbs_build_info{",
        "kbs_http_request_duration_seconds_bucket{le=\"0.0005\"}"}) {
    EXPECT_NE(text.find(line), std::string::npos) << line << "\n" << text;
  }
}

TEST(Broker, tells_what_it_is) {
  TestBroker broker;
  const auto info = json_of(broker.get("/kbs/v0/info"));
  EXPECT_EQ(*info.find("mode")->if_string(), "background-check");
  EXPECT_EQ(*info.find("protocol")->if_string(), "0.4.0");
  EXPECT_EQ(*info.find("attestation_service")->if_string(), "coco_as_builtin");
  EXPECT_TRUE(*info.find("sample_accepted")->if_bool());
  EXPECT_NE(info.find("token_certificates")->if_string()->find("BEGIN CERTIFICATE"), std::string::npos);
}

TEST(Broker, denies_administration_where_nothing_is_configured) {
  auto config = playground();
  config.admin = {};
  TestBroker broker{config};
  for (const auto& [method, path] : {std::pair{"POST", "resource/a/b/c"},
                                     {"DELETE", "resource/a/b/c"},
                                     {"GET", "resources"},
                                     {"POST", "resource-policy"},
                                     {"GET", "resource-policy"},
                                     {"DELETE", "resource-policy"},
                                     {"POST", "attestation-policy"},
                                     {"GET", "attestation-policy"},
                                     {"DELETE", "attestation-policy/x"},
                                     {"POST", "reference-value"},
                                     {"GET", "reference-value/x"},
                                     {"DELETE", "reference-value/x"},
                                     {"GET", "audit"}}) {
    EXPECT_EQ(refusal(broker.send(method, std::string{"/kbs/v0/"} + path)), "401 broker.admin_denied AdminAuthAccess")
        << method << " " << path;
  }
}

TEST(Broker, without_any_anchor_starts_and_each_get_names_what_is_missing) {
  Config config;
  TestBroker broker{config};
  EXPECT_EQ(broker.broker->mode(), Mode::no_trust_anchor);
  const auto response = broker.get("/kbs/v0/resource/default/key/k1");
  EXPECT_EQ(refusal(response), "401 broker.no_trust_anchor TokenVerifierError");
  EXPECT_NE(detail_of(response).find("[attestation_service]"), std::string::npos);
  EXPECT_NE(detail_of(response).find("trusted_certs_paths"), std::string::npos);
  const auto with_token = broker.get("/kbs/v0/resource/default/key/k1", {{"Authorization", "Bearer a.b.c"}});
  EXPECT_EQ(refusal(with_token), "401 broker.no_trust_anchor TokenVerifierError");
}

TEST(Broker, without_an_attestation_service_the_handshake_is_not_found) {
  TestBroker broker{Config{}};
  for (const auto* endpoint : {"auth", "attest"}) {
    EXPECT_EQ(refusal(broker.post(std::string{"/kbs/v0/"} + endpoint, "{}")),
              "404 broker.no_attestation_service PluginNotFound");
  }
}

TEST(Broker, serves_plaintext_only_under_the_named_switch) {
  Config config;
  config.admin.mode = AdminMode::insecure_allow_all;
  config.coffer.unattested_reads = true;
  TestBroker broker{config};
  broker.store_resource("default/key/k1", "secret");
  const auto response = broker.get("/kbs/v0/resource/default/key/k1");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(text_of(response), "secret");
  EXPECT_EQ(broker.get("/kbs/v0/resource/default/key/none").status, 404);
  EXPECT_NE(codec::json::serialize(broker.audit()).find("unattested_reads"), std::string::npos);
}

ErrorCode refusal_at_start(const Config& config) {
  const auto broker = Broker::create(config, {.store = storage::make_memory_store()});
  EXPECT_FALSE(broker);
  return broker ? ErrorCode{BrokerError::config_syntax} : broker.error().code;
}

TEST(Broker, refuses_contradictions_and_unusable_files_at_start) {
  auto open = playground();
  open.coffer.unattested_reads = true;
  EXPECT_EQ(refusal_at_start(open), ErrorCode{BrokerError::config_conflict});
  auto status = playground();
  status.coffer.missing_resource_status = 403;
  EXPECT_EQ(refusal_at_start(status), ErrorCode{BrokerError::config_value});
  auto signer = playground();
  signer.attestation.signer.key_path = "/nonexistent";
  EXPECT_EQ(refusal_at_start(signer), ErrorCode{BrokerError::config_file});
}

TEST(Broker, keeps_its_token_signer_so_that_tokens_survive_a_restart) {
  auto store = std::shared_ptr<storage::KeyValueStore>{storage::make_memory_store()};
  auto first = std::make_unique<TestBroker>(playground(), store);
  first->store_resource("default/key/k1", "secret");
  TestGuest guest{*first};
  guest.handshake();
  TestBroker second{playground(), store};
  EXPECT_EQ(guest.open(guest.get_by_token(second, "default/key/k1")), "secret");
}

Config on_free_port() {
  auto config = playground();
  config.http.sockets = {"127.0.0.1:0"};
  config.http.insecure_http = true;
  return config;
}

TEST(Serve, listens_and_answers_until_it_is_stopped) {
  auto running = serve(on_free_port());
  ASSERT_TRUE(running) << to_string(running.error());
  const auto client = net::HttpClient::create();
  net::HttpRequest request;
  request.url = "http://" + (*running)->addresses().at(0) + "/healthz";
  request.timeout = std::chrono::seconds{10};
  const auto response = (*client)->send(request);
  ASSERT_TRUE(response) << to_string(response.error());
  EXPECT_EQ(response->status, 200);
  (*running)->stop();
  (*running)->stop();
  EXPECT_FALSE((*client)->send(request));
}

TEST(Serve, refuses_plain_http_that_was_not_asked_for) {
  auto config = on_free_port();
  config.http.insecure_http = false;
  const auto running = serve(config);
  ASSERT_FALSE(running);
  EXPECT_EQ(running.error().code, ErrorCode{BrokerError::config_value});
}

class OnDisk : public ::testing::Test {
 protected:
  OnDisk() {
    std::string name = "/tmp/coffer-broker-XXXXXX";
    directory = ::mkdtemp(name.data());
  }
  ~OnDisk() override { std::filesystem::remove_all(directory); }
  std::filesystem::path write(const std::filesystem::path& name, std::string_view text) {
    const auto file = directory / name;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream{file} << text;
    return file;
  }
  std::filesystem::path directory;
};

TEST_F(OnDisk, a_key_that_was_placed_by_hand_in_an_older_repository_is_served) {
  write("repository/default/key/wasm-addition", "by hand");
  auto config = playground();
  config.resources.repository = directory / "repository";
  TestBroker broker{config};
  TestGuest guest{broker};
  guest.handshake();
  EXPECT_EQ(guest.open(guest.get("default/key/wasm-addition")), "by hand");
  broker.store_resource("default/key/k2", "by request");
  EXPECT_TRUE(std::filesystem::exists(directory / "repository/default/key/k2"));
}

TEST_F(OnDisk, two_files_for_one_key_are_an_error_and_neither_is_served) {
  write("repository/default/key/k1", "one");
  write("repository/repository/default\\x2Fkey\\x2Fk1", "two");
  auto config = playground();
  config.resources.repository = directory / "repository";
  TestBroker broker{config};
  TestGuest guest{broker};
  guest.handshake();
  EXPECT_EQ(refusal(guest.get("default/key/k1")), "401 broker.storage_failed PluginInternalError");
  EXPECT_NE(codec::json::serialize(broker.audit("?last=1")).find("storage.ambiguous"), std::string::npos);
}

TEST_F(OnDisk, an_older_policy_file_is_in_force_and_written_when_a_policy_is_set) {
  constexpr std::string_view deny = "package policy\nallow := false\n";
  auto config = playground();
  config.policy_path = write("policy.rego", deny);
  TestBroker broker{config};
  EXPECT_EQ(text_of(broker.get("/kbs/v0/resource-policy?text")), deny);
  constexpr std::string_view allow = "package policy\nallow := true\n";
  broker.set_resource_policy(allow);
  std::ifstream file{*config.policy_path};
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>{file}, {}), allow);
}

TEST_F(OnDisk, a_policy_file_that_cannot_be_looked_at_is_an_error_and_no_crash) {
  auto config = playground();
  config.policy_path = directory / std::string(300, 'p');  // longer than any file name
  const auto broker = Broker::create(config);
  ASSERT_FALSE(broker);
  EXPECT_EQ(broker.error().code, ErrorCode{BrokerError::config_file});
}

TEST_F(OnDisk, state_in_sqlite_outlives_the_broker) {
  auto config = playground();
  config.storage = {StorageKind::sqlite, directory / "kbs.sqlite"};
  {
    const auto broker = Broker::create(config);
    ASSERT_TRUE(broker) << to_string(broker.error());
    net::ServerRequest request;
    request.method = "POST";
    request.path = "/kbs/v0/resource/default/key/k1";
    request.body = to_bytes("kept");
    ASSERT_EQ((*broker)->handle(request).status, 200);
  }
  const auto store = storage::open_sqlite_store(directory / "kbs.sqlite");
  ASSERT_TRUE(store);
  EXPECT_EQ((*store)->get("repository", "default/key/k1"), to_bytes("kept"));
}

TEST_F(OnDisk, serves_tls_with_the_configured_certificate) {
  const auto key = crypto::PrivateKey::generate(crypto::KeyKind::ec_p256);
  const auto now = system_clock().now();
  const auto certificate = crypto::self_sign({.common_name = "127.0.0.1",
                                              .not_before = now - std::chrono::hours{1},
                                              .not_after = now + std::chrono::hours{1},
                                              .ip_addresses = {"127.0.0.1"}},
                                             *key);
  auto config = on_free_port();
  config.http.insecure_http = false;
  config.http.certificate = write("tls.pem", certificate->to_pem());
  config.http.private_key = write("tls.key", as_text(key->to_pem_pkcs8().expose()));
  const auto running = serve(config);
  ASSERT_TRUE(running) << to_string(running.error());
  const auto client = net::HttpClient::create({.extra_root_pems = {certificate->to_pem()}});
  net::HttpRequest request;
  request.url = "https://" + (*running)->addresses().at(0) + "/healthz";
  request.timeout = std::chrono::seconds{10};
  const auto response = (*client)->send(request);
  ASSERT_TRUE(response) << to_string(response.error());
  EXPECT_EQ(response->status, 200);
}

}  // namespace
}  // namespace coffer::keybroker::testing
