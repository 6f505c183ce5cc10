// Requests to the Nitro Secure Module and its responses, as serde writes Rust enums in CBOR: a unit variant is its name
// as text, any other a map of one pair.
#pragma once

#include <optional>

#include "base/bytes.h"
#include "codec/cbor.h"

namespace coffer::evidence::nitro {

struct AttestationRequest {
  std::optional<Bytes> user_data{};
  std::optional<Bytes> nonce{};
  std::optional<Bytes> public_key{};
};
Bytes encode_attestation_request(const AttestationRequest& request);
Bytes encode_describe_pcr(unsigned index);
Bytes encode_extend_pcr(unsigned index, ByteView data);
Bytes encode_lock_pcr(unsigned index);

struct PcrState {
  bool locked;
  Bytes value;
};
// All of them: device_failed for what is no response, another response than the one asked for, or an error that the
// module states, which the text names ("InputTooLarge").
Result<Bytes> parse_attestation_response(ByteView response);
Result<PcrState> parse_describe_pcr_response(ByteView response);
Result<Bytes> parse_extend_pcr_response(ByteView response);
Result<> parse_lock_pcr_response(ByteView response);

}  // namespace coffer::evidence::nitro
