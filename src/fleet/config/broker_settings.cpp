#include "fleet/config/broker_settings.h"

#include <algorithm>

namespace coffer::fleet {

Result<net::MqttOptions> read_broker(const Variables& variables, const Identity& identity, net::MqttOptions mqtt) {
  mqtt.address = variables.text("MQTT_ADDRESS", mqtt.address);
  mqtt.client_id = identity.entity;
  mqtt.username = identity.entity;
  mqtt.password = identity.api_key.clone();
  mqtt.tls.ca_file = variables.text("MQTT_TLS_CA_CERT");
  mqtt.tls.certificate_file = variables.text("MQTT_TLS_CLIENT_CERT");
  mqtt.tls.key_file = variables.text("MQTT_TLS_CLIENT_KEY");
  mqtt.tls.skip_verification = TRY(variables.flag("MQTT_TLS_INSECURE_SKIP_VERIFY", false));
  mqtt.keep_alive = TRY(variables.duration("MQTT_KEEP_ALIVE", mqtt.keep_alive));
  mqtt.connect_timeout = TRY(variables.duration("MQTT_TIMEOUT", mqtt.connect_timeout));
  mqtt.inflight = static_cast<unsigned>(TRY(variables.number("MQTT_INFLIGHT", mqtt.inflight, 1, 65'535)));
  mqtt.max_packet_size = TRY(variables.number("MQTT_MAX_PACKET_SIZE", mqtt.max_packet_size, 1024, 256U << 20));
  return mqtt;
}

Result<int> read_qos(const Variables& variables) {
  return static_cast<int>(std::min<std::uint64_t>(TRY(variables.number("MQTT_QOS", 2)), 2));
}

}  // namespace coffer::fleet
