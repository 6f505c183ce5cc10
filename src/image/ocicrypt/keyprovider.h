// Messages of the keyprovider protocol (guest-components.md 4.4), sans-I/O: a transport (gRPC, a command) carries the
// JSON.
#pragma once

#include <map>
#include <string>
#include <variant>
#include <vector>

#include "base/secret_bytes.h"
#include "image/key_source.h"
#include "image/ocicrypt/key_wrap.h"

namespace coffer::image::ocicrypt {

// Parameters of one side, decoded from base64: {"attestation-agent": ["keyid=kbs:///...::sample=false"]}.
using ProviderParameters = std::map<std::string, std::vector<std::string>>;

struct WrapRequest {
  ProviderParameters parameters;
  SecretBytes secret;  // privopts
};
struct UnwrapRequest {
  ProviderParameters parameters;
  Bytes annotation;  // an annotation packet
};
using KeyproviderRequest = std::variant<WrapRequest, UnwrapRequest>;

// Byte members are base64 text or arrays of numbers: both are accepted everywhere.
Result<KeyproviderRequest> parse_keyprovider_request(ByteView text);
// Results go out as arrays of numbers, which every peer accepts.
std::string wrap_response(ByteView annotation);
SecretBytes unwrap_response(const SecretBytes& secret);

// The client's side.
std::string wrap_request(std::string_view provider, std::string_view parameter, ByteView secret);
std::string unwrap_request(std::string_view provider, std::string_view parameter, ByteView annotation);
Result<Bytes> parse_wrap_response(ByteView text);
Result<SecretBytes> parse_unwrap_response(ByteView text);

// "keyid=...::keypath=..." as skopeo passes it. A piece without '=' is an error (trap 18), and so is an unknown name.
Result<std::map<std::string, std::string>> parse_provider_parameter(std::string_view text);

}  // namespace coffer::image::ocicrypt
