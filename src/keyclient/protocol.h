// The messages of the KBS attestation protocol (RCAR: Request, Challenge, Attestation, Response), version 0.4.0, for
// both sides (trustee.md 1.2 to 1.7). Values and text only: no socket, no clock. Parsing takes what any upstream
// version sends; serialising gives upstream's bytes, member order included.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "codec/json.h"

namespace coffer::keyclient {

inline constexpr std::string_view protocol_version = "0.4.0";
inline constexpr std::string_view session_cookie_name = "kbs-session-id";
inline constexpr std::string_view path_prefix = "/kbs/v0";
// Clients and tests search for this text in the detail of a version mismatch.
inline constexpr std::string_view version_mismatch_text = "KBS Client Protocol Version Mismatch";

inline constexpr std::size_t max_message_size = 2U << 20;  // bytes, as upstream's payload_request_size
inline constexpr std::size_t max_nonce_size = 16U << 10;   // characters; SE nonces are JSON documents

// malformed: not JSON, not an object, or a required member is missing or of the wrong type. too_large: over a bound.
enum class ProtocolError { malformed, too_large };
std::string_view code_name(ProtocolError code);

// POST auth. {"version":"0.4.0","tee":"snp","extra-params":...}
struct Request {
  std::string version{protocol_version};
  std::string tee;                      // wire name, not checked here
  codec::json::Value extra_params{""};  // "" in old clients, an object since 0.4.0; absent reads as ""

  static Result<Request> parse(std::string_view text);
  static Result<Request> from_json(const codec::json::Value& value);
  codec::json::Object to_json() const;
  std::string serialize() const;
};

// The answer. {"nonce":"<base64>","extra-params":""}
struct Challenge {
  std::string nonce;
  codec::json::Value extra_params{""};  // "", or {"selected-hash-algorithm":"sha512"}

  static Result<Challenge> parse(std::string_view text);
  static Result<Challenge> from_json(const codec::json::Value& value);
  codec::json::Object to_json() const;
  std::string serialize() const;
};

// POST attest. {"init-data":null|{"format","body"},"runtime-data":{"nonce","tee-pubkey"},
//               "tee-evidence":{"primary_evidence":..,"additional_evidence":"<string>"}}
struct Attestation {
  std::optional<codec::json::Value> init_data{};  // none where null or absent
  std::string nonce;
  codec::json::Value tee_pubkey;  // a JWK object, every member as received
  codec::json::Value primary_evidence;
  std::string additional_evidence{};  // JSON text, bound byte for byte; empty without devices or where absent

  static Result<Attestation> parse(std::string_view text);
  std::string serialize() const;
};

// The answer. {"token":"<JWT>"}
struct AttestationResponse {
  std::string token;

  static Result<AttestationResponse> parse(std::string_view text);
  std::string serialize() const;
};

// The body of every error. {"type":"https://github.com/confidential-containers/kbs/errors/PolicyDeny","detail":"..."},
// and "code" where the broker is ours.
struct ErrorInformation {
  std::string type;
  std::string detail;
  std::string code{};

  // `variant`: "PolicyDeny" and its like, behind upstream's URL prefix.
  static ErrorInformation make(std::string_view variant, std::string detail, std::string_view code);
  static Result<ErrorInformation> parse(std::string_view text);
  std::string serialize() const;
  // What stands behind the last slash of `type`.
  std::string_view variant() const;
  // Whether `type` has upstream's prefix; other services have errors of a similar shape (RFC 9457).
  bool is_from_broker() const;
};

// Ours: GET /kbs/v0/info. Unknown members are ignored.
// {"name":"coffer-kbs","version":"0.1.0","protocol":"0.4.0","mode":"background-check","tees":["snp"],
//  "unattested_reads":false}
struct BrokerInfo {
  std::string name{"coffer-kbs"};
  std::string version;
  std::string protocol{protocol_version};
  std::string mode;                 // "background-check", "passport", "no-trust-anchor"
  std::vector<std::string> tees{};  // what its verifier accepts now; empty without one
  bool unattested_reads = false;

  static Result<BrokerInfo> parse(std::string_view text);
  std::string serialize() const;
};

}  // namespace coffer::keyclient
