// What libmosquitto, the broker and the system say of a failure, as errors of ours.
#pragma once

#include <string>

#include "net/error.h"

namespace coffer::net::detail {

// errno of a TCP connection that was not made.
Error connect_error(int error_number, const std::string& where);
// MOSQ_ERR_*; `detail` from the library's log, or empty.
Error library_error(int code, const std::string& detail);
// The code in a CONNACK: MQTT 3.1.1 table 3.1, MQTT 5 table 3-1.
Error refusal_error(int code, bool v5);

}  // namespace coffer::net::detail
