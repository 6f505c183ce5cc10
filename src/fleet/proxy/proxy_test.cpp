// The proxy with a real broker and a registry in this process.
#include "fleet/proxy/proxy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fleet/chunks.h"
#include "image/push.h"
#include "image/testing/fake_registry.h"
#include "net/http_client.h"
#include "net/mosquitto_testing.h"

namespace coffer::fleet::proxy {
namespace {

using namespace std::chrono_literals;
using image::testing::FakeRegistry;
using ::testing::HasSubstr;

// A registry with one image of 1,000 bytes, the proxy, and a worker that assembles.
struct Scene {
  explicit Scene(std::map<std::string, std::string> more = {}) {
    broker.start();
    push();
    more.insert({{"TENANT_ID", "t"},
                 {"CHANNEL_ID", "c"},
                 {"ENTITY_ID", "proxy"},
                 {"API_KEY", "k"},
                 {"REGISTRY_URL", "r.example"},
                 {"MQTT_ADDRESS", broker.address()},
                 {"HTTP_PORT", "0"},
                 {"CHUNK_SIZE", "300"}});
    auto config = read_config(Variables{"PROXY_", [](const std::string&) { return std::nullopt; }, more});
    EXPECT_TRUE(config) << to_string(config.error());
    proxy = Proxy::start(std::move(*config)).value();
    worker = net::MqttClient::start({.address = broker.address(), .client_id = "worker"},
                                    {.on_message =
                                         [this](const net::MqttMessage& message) {
                                           if (auto chunk = parse_chunk(as_text(message.payload)))
                                             (void)chunks.accept(std::move(*chunk));
                                         }})
                 .value();
    EXPECT_TRUE(worker->subscribe(topics.of(Topic::chunk)));
    EXPECT_TRUE(worker->wait_connected(10s));
    EXPECT_TRUE(proxy->wait_connected(10s));
  }
  ~Scene() { worker.reset(); }

  void push() {
    const auto store =
        image::Registry::open(image::ImageReference::parse(registry.host() + "/team/app:v1").value()).value();
    Bytes module = to_bytes(std::string_view{"\0asm\1\0\0\0", 8});
    module.resize(1000, std::byte{5});
    const auto pushed = image::push_wasm(module, *store, {});
    EXPECT_TRUE(pushed) << to_string(pushed.error());
  }

  Result<std::shared_ptr<const FetchedImage>> fetch(const std::string& name, Duration timeout = 10s) {
    return chunks.fetch(name, [this](const FetchRequest& request) { return ask(to_json(request)); }, timeout);
  }
  Result<> ask(const std::string& payload) {
    return worker->publish({.topic = topics.of(Topic::fetch), .payload = to_bytes(payload)});
  }
  std::string get(const std::string& path) {
    const auto client = net::HttpClient::create().value();
    const auto answer = client->send({.url = "http://" + proxy->http_address() + path});
    return answer ? std::to_string(answer->status) + " " + to_text(answer->body) : to_string(answer.error());
  }

  net::testing::Mosquitto broker;
  FakeRegistry registry;
  Topics topics = Topics::create("t", "c").value();
  // Asked again soon: a worker may be back at the broker before the proxy is.
  ChunkAssembler chunks{{.ask_again = 200ms}};
  std::unique_ptr<Proxy> proxy;
  std::unique_ptr<net::MqttClient> worker;
};

TEST(Proxy, brings_an_image_to_a_worker_and_counts_it) {
  Scene scene;
  const auto image = scene.fetch(scene.registry.host() + "/team/app:v1");
  ASSERT_TRUE(image) << to_string(image.error());
  EXPECT_EQ((*image)->data.size(), 1000U);
  EXPECT_FALSE((*image)->digest.empty());
  EXPECT_THAT(scene.get("/health"), HasSubstr(R"("status":"pass")"));
  const auto metrics = scene.get("/metrics");
  EXPECT_THAT(metrics, HasSubstr(R"(proxy_requests_total{admission="queued"} 1)"));
  EXPECT_THAT(metrics, HasSubstr("proxy_chunks_sent_total 4"));
  EXPECT_THAT(scene.get("/elsewhere"), HasSubstr("404"));
}

TEST(Proxy, answers_with_an_error_at_once_where_there_is_no_image) {
  Scene scene;
  const auto image = scene.fetch(scene.registry.host() + "/team/app:v2");
  ASSERT_FALSE(image);
  EXPECT_EQ(image.error().code, FleetError::fetch_failed);
  EXPECT_THAT(image.error().message, HasSubstr("image.not_found"));
}

TEST(Proxy, survives_requests_that_are_none) {
  Scene scene;
  for (const std::string payload : {"", "{", "[]", R"({"app_name":7})", "\xFF"}) ASSERT_TRUE(scene.ask(payload));
  EXPECT_TRUE(scene.fetch(scene.registry.host() + "/team/app:v1"));
  EXPECT_THAT(scene.get("/metrics"), HasSubstr(R"(proxy_requests_total{admission="malformed"} 5)"));
}

TEST(Proxy, answers_what_is_too_much_instead_of_dropping_it) {
  Scene scene{{{"MAX_QUEUE", "1"}, {"CONCURRENT_FETCHES", "1"}}};
  std::mutex gate;
  std::unique_lock closed{gate};
  scene.registry.set_fault([&](const net::ServerRequest&) -> std::optional<net::ServerResponse> {
    const std::lock_guard wait{gate};
    return std::nullopt;
  });
  const auto name = [&](int number) { return scene.registry.host() + "/team/app:n" + std::to_string(number); };
  for (int number = 0; number < 2; ++number) ASSERT_TRUE(scene.ask(to_json(FetchRequest{name(number)})));
  Result<std::shared_ptr<const FetchedImage>> refused;
  for (int number = 2; number < 20; ++number) {  // the first two have their places by then
    refused = scene.fetch(name(number), 500ms);
    if (!refused && refused.error().message.contains("proxy.busy")) break;
  }
  EXPECT_THAT(refused.error().message, HasSubstr("proxy.busy"));
  closed.unlock();
  Result<std::shared_ptr<const FetchedImage>> served;
  for (int attempt = 0; attempt < 500; ++attempt) {  // until those before it have made room
    served = scene.fetch(scene.registry.host() + "/team/app:v1");
    if (served || !served.error().message.contains("proxy.busy")) break;
  }
  ASSERT_TRUE(served.has_value()) << to_string(served.error());
}

TEST(Proxy, serves_again_after_its_broker_came_back) {
  Scene scene;
  scene.broker.kill();
  scene.broker.start();
  const auto image = scene.fetch(scene.registry.host() + "/team/app:v1");
  ASSERT_TRUE(image) << to_string(image.error());
}

TEST(Proxy, stops_while_a_broker_is_away_and_an_image_on_its_way) {
  Scene scene;
  scene.broker.kill();
  const auto began = std::chrono::steady_clock::now();
  scene.proxy->stop();
  EXPECT_LT(std::chrono::steady_clock::now() - began, 5s);
}

}  // namespace
}  // namespace coffer::fleet::proxy
