// The attestation token of an Arm CCA realm (RMM specification 1.0, A7.2; draft-ffm-rats-cca-token-00): two signed
// tokens in one collection. The platform vouches for the realm's key by its hash, the realm signs its own claims.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "evidence/arm/lifecycle.h"
#include "evidence/arm/signed_token.h"
#include "evidence/arm/software_component.h"
#include "evidence/cca/error.h"

namespace coffer::evidence::cca {

inline constexpr std::size_t max_token = 64U << 10;
inline constexpr std::size_t challenge_size = 64;

inline constexpr std::string_view platform_profile = "tag:arm.com,2023:cca_platform#1.0.0";
inline constexpr std::string_view older_platform_profile = "http://arm.com/CCA-SSD/1.0.0";
inline constexpr std::string_view realm_profile = "tag:arm.com,2023:realm#1.0.0";

arm::TokenCodes platform_codes();
arm::TokenCodes realm_codes();

struct Platform {
  std::string profile;                                        // 265
  Bytes challenge;                                            // 10: the hash of the realm's key
  Bytes implementation_id;                                    // 2396: 32 bytes
  Bytes instance_id;                                          // 256: 33 bytes
  Bytes config;                                               // 2401
  std::uint64_t lifecycle{};                                  // 2395
  std::vector<arm::SoftwareComponent> software_components{};  // 2399
  std::optional<std::string> verification_service{};          // 2400
  std::string hash_algorithm;                                 // 2402
};

struct Realm {
  std::optional<std::string> profile{};            // 265; absent in the older form
  Bytes challenge;                                 // 10: 64 bytes
  Bytes personalization_value;                     // 44235: 64 bytes
  Bytes initial_measurement;                       // 44238
  std::array<Bytes, 4> extensible_measurements{};  // 44239
  std::string hash_algorithm;                      // 44236
  Bytes public_key;                                // 44237: a point of P-384, or a COSE_Key where there is a profile
  std::string public_key_hash_algorithm;           // 44240
};

struct Token {
  arm::SignedToken platform_token;
  arm::SignedToken realm_token;
  Platform platform;
  Realm realm;
};

// Shape and bounds only; nothing is verified.
Result<Token> parse_token(ByteView token);
Result<Platform> parse_platform(ByteView claims);
Result<Realm> parse_realm(ByteView claims);

// The realm's key. bad_realm_key.
Result<crypto::PublicKey> realm_key(const Realm& realm);
// The hash that the platform's challenge must be. bad_realm_key for an unknown algorithm.
Result<Bytes> realm_key_hash(const Realm& realm);

// For the simulator.
Bytes encode_platform(const Platform& platform);
Bytes encode_realm(const Realm& realm);

}  // namespace coffer::evidence::cca
