// The client under TLS, against a real mosquitto.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "crypto/keys.h"
#include "crypto/x509.h"
#include "net/mosquitto_testing.h"
#include "net/mqtt_testing.h"

namespace coffer::net {
namespace {

using namespace std::chrono_literals;
using testing::expect_connected;
using ::testing::HasSubstr;
using testing::Mosquitto;
using testing::options_for;
using testing::Peer;

// A root, a broker's and a client's certificate, as files.
struct Pki {
  explicit Pki(const TemporaryDirectory& files) {
    write(files, "root", root_certificate.to_pem(), root_key);
    issue(files, "broker", {"localhost"}, {"127.0.0.1"});
    issue(files, "client", {}, {});
  }
  void issue(const TemporaryDirectory& files, const std::string& name, std::vector<std::string> dns_names,
             std::vector<std::string> addresses) const {
    const crypto::CertificateRequest request{.common_name = "127.0.0.1",
                                             .not_before = system_clock().now() - 24h,
                                             .not_after = system_clock().now() + 24h,
                                             .dns_names = std::move(dns_names),
                                             .ip_addresses = std::move(addresses)};
    const auto key = *crypto::PrivateKey::generate(crypto::KeyKind::ec_p256);
    write(files, name, crypto::issue(request, key.public_key(), {root_certificate, root_key})->to_pem(), key);
  }
  static void write(const TemporaryDirectory& files, const std::string& name, const std::string& pem,
                    const crypto::PrivateKey& key) {
    files.write(name + ".pem", pem);
    files.write(name + ".key", as_text(key.to_pem_pkcs8().expose()));
  }
  crypto::PrivateKey root_key = *crypto::PrivateKey::generate(crypto::KeyKind::ec_p256);
  crypto::Certificate root_certificate = *crypto::self_sign({.common_name = "root",
                                                             .not_before = system_clock().now() - 48h,
                                                             .not_after = system_clock().now() + 48h,
                                                             .is_ca = true},
                                                            root_key);
};

TEST(MqttTls, is_verified_by_name_and_by_address) {
  Mosquitto broker{"allow_anonymous true\ncertfile $DIR/broker.pem\nkeyfile $DIR/broker.key\n"};
  const Pki pki{broker.files()};
  broker.start();
  for (const std::string host : {"127.0.0.1", "localhost"}) {
    auto options = options_for("ssl://" + host + ":" + std::to_string(broker.port()), "a");
    options.tls.ca_file = broker.files().path() / "root.pem";
    Peer peer{std::move(options)};
    ASSERT_TRUE(peer.client->subscribe("t"));
    expect_connected(peer);
    ASSERT_TRUE(peer.client->publish_and_wait({.topic = "t", .payload = Bytes(300'000)}, 10s));
    EXPECT_EQ(peer.receive().value().payload.size(), 300'000U);
  }
}

TEST(MqttTls, is_not_trusted_with_a_strange_root_or_another_name) {
  Mosquitto broker{"allow_anonymous true\ncertfile $DIR/other.pem\nkeyfile $DIR/other.key\n"};
  const Pki pki{broker.files()};
  pki.issue(broker.files(), "other", {"elsewhere"}, {});
  broker.start();
  auto options = options_for(broker.address("mqtts"), "a");
  options.tls.ca_file = broker.files().path() / "root.pem";
  Peer misnamed{std::move(options)};
  const auto why = misnamed.wait_for_error().value();
  EXPECT_EQ(why.code, NetError::tls) << why.message;
  EXPECT_THAT(why.message, HasSubstr("verify failed"));
  Peer stranger{options_for(broker.address("tls"), "b")};
  EXPECT_EQ(stranger.wait_for_error().value().code, NetError::tls);
  auto trusting = options_for(broker.address("ssl"), "c");
  trusting.tls.skip_verification = true;
  Peer unverified{std::move(trusting)};
  expect_connected(unverified);
}

TEST(MqttTls, shows_a_client_certificate_where_one_is_demanded) {
  Mosquitto broker{
      "certfile $DIR/broker.pem\nkeyfile $DIR/broker.key\ncafile $DIR/root.pem\nrequire_certificate "
      "true\nuse_identity_as_username true\n"};
  const Pki pki{broker.files()};
  broker.start();
  const auto options = [&] {
    auto wanted = options_for(broker.address("ssl"), "a");
    wanted.tls.ca_file = broker.files().path() / "root.pem";
    return wanted;
  };
  Peer anonymous{options()};
  EXPECT_FALSE(anonymous.client->wait_connected(300ms));
  auto known = options();
  known.tls.certificate_file = broker.files().path() / "client.pem";
  known.tls.key_file = broker.files().path() / "client.key";
  Peer peer{std::move(known)};
  expect_connected(peer);
  auto mixed = options();
  mixed.tls.certificate_file = broker.files().path() / "client.pem";
  mixed.tls.key_file = broker.files().path() / "root.key";
  EXPECT_EQ(MqttClient::start(std::move(mixed), {.on_message = [](MqttMessage) {}}).error().code,
            NetError::bad_configuration);
}

TEST(MqttTls, fails_against_a_plain_port) {
  Mosquitto broker;
  broker.start();
  Peer peer{options_for(broker.address("ssl"), "a")};
  const auto why = peer.wait_for_error().value();
  EXPECT_TRUE(why.code == NetError::tls || why.code == NetError::unreachable) << to_string(why);
}

}  // namespace
}  // namespace coffer::net
