#include "net/detail/mqtt_codes.h"

#include <mosquitto.h>
#include <mqtt_protocol.h>

#include <cerrno>
#include <cstring>

namespace coffer::net::detail {
namespace {

NetError kind_of(int code) {
  switch (code) {
    case MOSQ_ERR_TLS:
    case MOSQ_ERR_TLS_HANDSHAKE: return NetError::tls;
    case MOSQ_ERR_EAI:
    case MOSQ_ERR_LOOKUP: return NetError::unresolved;
    case MOSQ_ERR_KEEPALIVE:
    case MOSQ_ERR_TIMEOUT: return NetError::timeout;
    case MOSQ_ERR_AUTH:
    case MOSQ_ERR_ACL_DENIED: return NetError::not_authorized;
    case MOSQ_ERR_PROTOCOL:
    case MOSQ_ERR_MALFORMED_PACKET: return NetError::protocol;
    case MOSQ_ERR_PAYLOAD_SIZE:
    case MOSQ_ERR_OVERSIZE_PACKET: return NetError::too_large;
    case MOSQ_ERR_INVAL:
    case MOSQ_ERR_MALFORMED_UTF8:
    case MOSQ_ERR_QOS_NOT_SUPPORTED:
    case MOSQ_ERR_RETAIN_NOT_SUPPORTED: return NetError::bad_message;
    default: return NetError::unreachable;
  }
}

NetError kind_of_refusal(int code, bool v5) {
  if (!v5) {
    switch (code) {
      case CONNACK_REFUSED_PROTOCOL_VERSION: return NetError::protocol;
      case CONNACK_REFUSED_IDENTIFIER_REJECTED: return NetError::bad_configuration;
      case CONNACK_REFUSED_SERVER_UNAVAILABLE: return NetError::unreachable;
      default: return NetError::not_authorized;
    }
  }
  switch (code) {
    case MQTT_RC_BAD_USERNAME_OR_PASSWORD:
    case MQTT_RC_NOT_AUTHORIZED:
    case MQTT_RC_BANNED: return NetError::not_authorized;
    case MQTT_RC_CLIENTID_NOT_VALID: return NetError::bad_configuration;
    case MQTT_RC_SERVER_UNAVAILABLE:
    case MQTT_RC_SERVER_BUSY: return NetError::unreachable;
    default: return NetError::protocol;
  }
}

}  // namespace

Error connect_error(int error_number, const std::string& where) {
  const NetError code = error_number == ECONNREFUSED ? NetError::refused
                        : error_number == ETIMEDOUT  ? NetError::timeout
                                                     : NetError::unreachable;
  return {code, "no connection to the broker at " + where + ": " + std::strerror(error_number)};
}

Error library_error(int code, const std::string& detail) {
  const std::string why = detail.empty() ? std::string{} : " (" + detail + ")";
  return {kind_of(code), std::string{"the connection to the broker failed: "} + mosquitto_strerror(code) + why};
}

Error refusal_error(int code, bool v5) {
  const char* text = v5 ? mosquitto_reason_string(code) : mosquitto_connack_string(code);
  return {kind_of_refusal(code, v5), std::string{"the broker refused the connection: "} + text};
}

}  // namespace coffer::net::detail
