#include "evidence/keystone/error.h"

namespace coffer::evidence::keystone {

std::string_view code_name(KeystoneError code) {
  switch (code) {
    case KeystoneError::bad_size: return "keystone.bad_size";
    case KeystoneError::bad_data_length: return "keystone.bad_data_length";
    case KeystoneError::unknown_device: return "keystone.unknown_device";
    case KeystoneError::test_key: return "keystone.test_key";
    case KeystoneError::untrusted_chain: return "keystone.untrusted_chain";
    case KeystoneError::unknown_monitor: return "keystone.unknown_monitor";
    case KeystoneError::monitor_signature: return "keystone.monitor_signature";
    case KeystoneError::enclave_signature: return "keystone.enclave_signature";
  }
  return "keystone.unknown";
}

}  // namespace coffer::evidence::keystone
