// Arm's PSA attestation token (RFC 9783): what TrustZone's root of trust says of itself and of its caller's nonce. Also
// the forms before it: "http://arm.com/psa/2.0.0" (draft 09) and PSA_IOT_PROFILE_1 (draft 07).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "evidence/arm/lifecycle.h"
#include "evidence/arm/signed_token.h"
#include "evidence/arm/software_component.h"
#include "evidence/psa/error.h"

namespace coffer::evidence::psa {

inline constexpr std::size_t max_token = 64U << 10;

inline constexpr std::string_view tfm_profile = "tag:psacertified.org,2023:psa#tfm";
inline constexpr std::string_view draft_9_profile = "http://arm.com/psa/2.0.0";
inline constexpr std::string_view profile_1 = "PSA_IOT_PROFILE_1";

struct PsaClaims {
  std::string profile;         // profile_1 where the token names none
  Bytes nonce;                 // 32, 48 or 64 bytes
  Bytes instance_id;           // 0x01 and 32 bytes
  Bytes implementation_id;     // 32 bytes
  std::int64_t client_id = 0;  // the caller: negative for the non-secure side, never 0
  std::uint64_t lifecycle = 0;
  std::optional<Bytes> boot_seed{};  // 8 to 32 bytes
  std::optional<std::string> certification_reference{};
  std::optional<std::string> verification_service{};
  std::vector<arm::SoftwareComponent> software_components{};  // empty only where an old token says it measures none
};

struct Token {
  arm::SignedToken signed_token;
  PsaClaims claims;
};

arm::TokenCodes token_codes();
// Shape and bounds only; nothing is verified.
Result<Token> parse_token(ByteView token);
Result<PsaClaims> parse_claims(ByteView claims);
// In the keys of its profile; for the simulator.
Bytes encode_claims(const PsaClaims& claims);

// Veraison's names, bytes in base64.
codec::json::Object json_claims(const PsaClaims& claims);

}  // namespace coffer::evidence::psa
