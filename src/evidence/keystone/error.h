// Why a Keystone report is refused. Report data, init-data, missing keys and simulated roots have EvidenceError's
// codes.
#pragma once

#include "base/result.h"

namespace coffer::evidence::keystone {

enum class KeystoneError {
  bad_size,           // a report has 1352 bytes
  bad_data_length,    // more than the 1024 bytes of data that a report has room for
  unknown_device,     // the device's key is none of keystone_verifier.trusted_keys
  test_key,           // the key whose private half is published with Keystone's sources
  untrusted_chain,    // the certificates beside the report lead to nothing trusted, or are not of the device's key
  unknown_monitor,    // the security monitor is none of keystone_verifier.security_monitors
  monitor_signature,  // the security monitor is not endorsed by the device
  enclave_signature,  // the enclave's report is not signed by the security monitor
};
std::string_view code_name(KeystoneError code);

}  // namespace coffer::evidence::keystone
