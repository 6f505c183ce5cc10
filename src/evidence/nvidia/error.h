// Why evidence of an NVIDIA GPU is refused. Report data, init-data and simulated roots have EvidenceError's codes.
#pragma once

#include "base/result.h"

namespace coffer::evidence::nvidia {

enum class NvidiaError {
  bad_report,           // no SPDM exchange GET_MEASUREMENTS of this version, or not its length
  bad_opaque_data,      // the fields of the vendor in the report: cut, twice, or a needed one missing
  bad_certificate,      // the device's certificates do not parse, or the first has no key of this kind
  bad_firmware_id,      // the first certificate does not say which firmware its key belongs to
  unknown_root,         // the chain ends in another root
  untrusted,            // it breaks on the way
  certificate_expired,  // it does not hold at the stated time
  revoked,              // a list of NVIDIA's names one of its certificates
  bad_key_usage,        // the certificate that signs is one of an authority
  bad_signature,        // the report is not signed by the device's key
  wrong_device_key,     // the certificate names another device key than the one that issued it
  wrong_firmware,       // the report states other firmware than the certificate
  wrong_architecture,   // the device is of another kind than the evidence says
  unsupported_device,   // known by name, not verified here (NVSwitch)
  repeated_device,      // one device twice, which would be counted as two
};
std::string_view code_name(NvidiaError code);

}  // namespace coffer::evidence::nvidia
