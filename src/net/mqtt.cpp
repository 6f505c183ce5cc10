#include "net/mqtt.h"

#include <mosquitto.h>

#include "base/printable.h"
#include "net/detail/mqtt_loop.h"

namespace coffer::net {
namespace {

constexpr std::size_t max_payload = 268'000'000;  // MQTT 3.1.1 section 2.2.3: 256 MiB a packet

// MQTT 3.1.1 section 4.7: no wild cards in a topic, no NUL, at most 65,535 bytes of UTF-8.
Result<> check_message(const MqttMessage& message) {
  const auto length = message.topic.size();
  const bool publishable = length > 0 && length <= 65'535 && !message.topic.contains('\0') &&
                           mosquitto_pub_topic_check2(message.topic.c_str(), length) == MOSQ_ERR_SUCCESS;
  if (!publishable)
    return fail(NetError::bad_message,
                "expected a topic without wild cards, found \"" + printable(message.topic, 128) + "\"");
  if (message.qos < 0 || message.qos > 2)
    return fail(NetError::bad_message,
                "expected a quality of service of 0, 1 or 2, found " + std::to_string(message.qos));
  if (message.payload.size() > max_payload)
    return fail(NetError::bad_message,
                "expected at most 268000000 bytes, found " + std::to_string(message.payload.size()));
  return {};
}

}  // namespace

struct MqttClient::Impl {
  detail::MqttLoop loop;
};

MqttClient::MqttClient(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
MqttClient::~MqttClient() = default;

Result<std::unique_ptr<MqttClient>> MqttClient::start(MqttOptions options, MqttHandlers handlers) {
  auto address = detail::MqttAddress::parse(options.address);
  if (!address) return fail(NetError::bad_configuration, address.error().message);
  if (!handlers.on_message) return fail(NetError::bad_configuration, "expected a handler for messages, found none");
  if (options.last_will) {
    if (const auto will = check_message(*options.last_will); !will)
      return fail(NetError::bad_configuration, "the last will: " + will.error().message);
  }
  detail::SslContext tls;
  if (address->tls) tls = TRY(detail::make_client_context(options.tls, address->host));
  auto impl =
      std::unique_ptr<Impl>{new Impl{{std::move(options), std::move(handlers), std::move(*address), std::move(tls)}}};
  impl->loop.start();
  return std::unique_ptr<MqttClient>{new MqttClient{std::move(impl)}};
}

Result<> MqttClient::subscribe(std::string filter, int qos, bool optional) {
  const auto length = filter.size();
  const bool usable = length > 0 && length <= 65'535 && !filter.contains('\0') && qos >= 0 && qos <= 2 &&
                      mosquitto_sub_topic_check2(filter.c_str(), length) == MOSQ_ERR_SUCCESS;
  if (!usable) return fail(NetError::bad_message, "expected a topic filter, found \"" + printable(filter, 128) + "\"");
  impl_->loop.subscribe(std::move(filter), {.qos = qos, .optional = optional});
  return {};
}

Result<> MqttClient::publish(MqttMessage message) {
  return publish(std::move(message), {});
}

Result<> MqttClient::publish(MqttMessage message, Done done) {
  TRY(check_message(message));
  std::shared_ptr<detail::Delivery> delivery;
  if (done) {
    delivery = std::make_shared<detail::Delivery>();
    delivery->done = std::move(done);
  }
  TRY(impl_->loop.outbox().push(std::move(message), std::move(delivery)));
  impl_->loop.wake();
  return {};
}

Result<> MqttClient::publish_and_wait(MqttMessage message, Duration timeout) {
  TRY(check_message(message));
  if (impl_->loop.on_own_thread())
    return fail(NetError::bad_configuration, "a handler must not wait for the client's own thread");
  auto delivery = std::make_shared<detail::Delivery>();
  TRY(impl_->loop.outbox().push(std::move(message), delivery));
  impl_->loop.wake();
  auto outcome = impl_->loop.outbox().wait(*delivery, timeout);
  if (!outcome) return fail(NetError::timeout, "the broker did not acknowledge the message in time");
  return std::move(*outcome);
}

bool MqttClient::connected() const {
  return impl_->loop.connected();
}

Result<> MqttClient::wait_connected(Duration timeout) {
  return impl_->loop.wait_connected(timeout);
}

MqttStatistics MqttClient::statistics() const {
  return impl_->loop.statistics();
}

void MqttClient::stop(Duration drain) {
  impl_->loop.stop(drain);
}

}  // namespace coffer::net
