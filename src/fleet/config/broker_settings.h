// How a program of the fleet reaches the MQTT broker: PREFIX_MQTT_* and its identity.
#pragma once

#include "fleet/config/identity.h"
#include "net/mqtt.h"

namespace coffer::fleet {

// ADDRESS, TIMEOUT, KEEP_ALIVE, INFLIGHT, MAX_PACKET_SIZE, TLS_CA_CERT, TLS_CLIENT_CERT, TLS_CLIENT_KEY,
// TLS_INSECURE_SKIP_VERIFY. Client id and user name are the identity's entity. What is not set stays as in `mqtt`.
// ConfigError::bad_value.
Result<net::MqttOptions> read_broker(const Variables& variables, const Identity& identity, net::MqttOptions mqtt = {});
// MQTT_QOS: anything but 0 and 1 means 2, as upstream has it.
Result<int> read_qos(const Variables& variables);

}  // namespace coffer::fleet
