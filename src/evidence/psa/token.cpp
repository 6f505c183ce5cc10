#include "evidence/psa/token.h"

#include <algorithm>
#include <limits>

#include "codec/base64.h"

namespace coffer::evidence::psa {

namespace cbor = codec::cbor;
namespace json = codec::json;

namespace {

// Claim keys of one generation (RFC 9783 section 5).
struct Keys {
  std::int64_t profile, nonce, instance_id, implementation_id, client_id, lifecycle, boot_seed, certification,
      software_components, verification_service;
};
constexpr Keys registered{265, 10, 256, 2396, 2394, 2395, 268, 2398, 2399, 2400};
constexpr Keys private_use{-75000, -75008, -75009, -75003, -75001, -75002, -75004, -75005, -75006, -75010};
constexpr std::int64_t draft_9_boot_seed = 2397;
constexpr std::int64_t no_software_measurements = -75007;

constexpr SizeBounds text_size{1, 1024};

bool is_old(std::string_view profile) {
  return profile == profile_1;
}

Result<std::string> read_profile(const CborFields& fields) {
  if (const auto profile = TRY(fields.optional_text(fields.find(registered.profile), "profile", text_size))) {
    if (*profile == tfm_profile || *profile == draft_9_profile) return *profile;
    return fail(PsaError::unknown_profile,
                "the PSA token's profile \"" + profile->substr(0, 128) + "\" is not known here");
  }
  // The oldest form need not name itself.
  const auto profile = TRY(fields.optional_text(fields.find(private_use.profile), "profile", text_size));
  if (!profile || *profile == profile_1) return std::string{profile_1};
  return fail(PsaError::unknown_profile,
              "the PSA token's profile \"" + profile->substr(0, 128) + "\" is not known here");
}

// Section 4.1.2: a 32-bit integer, and never 0.
Result<std::int64_t> read_client_id(const CborFields& fields, std::int64_t key) {
  const auto* value = fields.find(key);
  const auto number = value == nullptr ? std::nullopt : value->if_int64();
  using Limits = std::numeric_limits<std::int32_t>;
  if (number && *number != 0 && *number >= Limits::min() && *number <= Limits::max()) return *number;
  return fields.bad("client-id", "an integer of 32 bits other than 0",
                    number             ? std::to_string(*number)
                    : value == nullptr ? "nothing"
                                       : type_name(*value));
}

// Section 4.2.1: a UEID of type RAND.
Result<Bytes> read_instance_id(const CborFields& fields, std::int64_t key) {
  auto id = TRY(fields.bytes(fields.find(key), "instance-id", {33, 33}));
  if (id[0] == std::byte{0x01}) return id;
  return fields.bad("instance-id", "a UEID of type 0x01", codec::hex_encode(ByteView{id}.first(1)));
}

Result<std::optional<Bytes>> read_boot_seed(const CborFields& fields, const Keys& keys) {
  const auto* value = fields.find(keys.boot_seed);
  if (value == nullptr && keys.boot_seed == registered.boot_seed) value = fields.find(draft_9_boot_seed);
  return fields.optional_bytes(value, "boot-seed", {8, 32});
}

bool are_digits(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

// Section 4.2.3: thirteen digits, a dash and five digits; the oldest profile had the thirteen alone.
Result<std::optional<std::string>> read_certification(const CborFields& fields, const Keys& keys, bool old) {
  auto text = TRY(fields.optional_text(fields.find(keys.certification), "certification-reference", {13, 19}));
  if (!text) return text;
  const std::string_view view{*text};
  const bool with_version = view.size() == 19 && view[13] == '-' && are_digits(view.substr(14));
  if (are_digits(view.substr(0, 13)) && (with_version || (old && view.size() == 13))) return text;
  return fields.bad("certification-reference", "digits of an EAN-13 and five more", *text);
}

Result<std::vector<arm::SoftwareComponent>> read_components(const CborFields& fields, const Keys& keys, bool old) {
  const auto* value = fields.find(keys.software_components);
  const auto* none = old ? fields.find(no_software_measurements) : nullptr;
  if (value == nullptr && none != nullptr && none->if_uint64() == 1U) return std::vector<arm::SoftwareComponent>{};
  return arm::parse_software_components(fields, value, PsaError::bad_claims, !old);
}

}  // namespace

arm::TokenCodes token_codes() {
  return {PsaError::not_a_token, PsaError::bad_signature, PsaError::untrusted_platform};
}

Result<PsaClaims> parse_claims(ByteView claims) {
  const auto value = cbor::parse(claims, {.max_size = max_token, .max_depth = 6, .max_items = 2048});
  if (!value) return fail(PsaError::bad_claims, "the PSA token's claims: " + value.error().message);
  const auto fields = TRY(CborFields::open(*value, PsaError::bad_claims, "the PSA token's claims"));
  PsaClaims out;
  out.profile = TRY(read_profile(fields));
  const bool old = is_old(out.profile);
  const auto& keys = old ? private_use : registered;
  out.nonce = TRY(fields.hash(fields.find(keys.nonce), "nonce"));
  out.instance_id = TRY(read_instance_id(fields, keys.instance_id));
  out.implementation_id = TRY(fields.bytes(fields.find(keys.implementation_id), "implementation-id", {32, 32}));
  out.client_id = TRY(read_client_id(fields, keys.client_id));
  out.lifecycle = TRY(fields.number(fields.find(keys.lifecycle), "security-lifecycle", 0xffff));
  if (!arm::parse_lifecycle(out.lifecycle)) {
    return fields.bad("security-lifecycle", "one of the seven states", std::to_string(out.lifecycle));
  }
  out.boot_seed = TRY(read_boot_seed(fields, keys));
  out.certification_reference = TRY(read_certification(fields, keys, old));
  out.verification_service =
      TRY(fields.optional_text(fields.find(keys.verification_service), "verification service", text_size));
  out.software_components = TRY(read_components(fields, keys, old));
  return out;
}

Result<Token> parse_token(ByteView token) {
  if (token.empty() || token.size() > max_token) {
    return fail(PsaError::not_a_token, "a PSA token is expected to have 1 to " + std::to_string(max_token) +
                                           " bytes, found " + std::to_string(token.size()));
  }
  auto signed_token = TRY(arm::parse_signed_token(token, token_codes(), "the PSA token"));
  auto claims = TRY(parse_claims(signed_token.message.payload));
  return Token{std::move(signed_token), std::move(claims)};
}

Bytes encode_claims(const PsaClaims& claims) {
  const bool old = is_old(claims.profile);
  const auto& keys = old ? private_use : registered;
  cbor::Map map{{keys.profile, claims.profile},         {keys.nonce, claims.nonce},
                {keys.instance_id, claims.instance_id}, {keys.implementation_id, claims.implementation_id},
                {keys.client_id, claims.client_id},     {keys.lifecycle, claims.lifecycle}};
  if (claims.boot_seed) map.emplace_back(keys.boot_seed, *claims.boot_seed);
  if (claims.certification_reference) map.emplace_back(keys.certification, *claims.certification_reference);
  if (claims.verification_service) map.emplace_back(keys.verification_service, *claims.verification_service);
  if (old && claims.software_components.empty()) {
    map.emplace_back(no_software_measurements, 1);
  } else {
    map.emplace_back(keys.software_components, arm::encode_software_components(claims.software_components));
  }
  return cbor::encode(map);
}

json::Object json_claims(const PsaClaims& claims) {
  const auto lifecycle = arm::parse_lifecycle(claims.lifecycle);
  json::Object out{{"eat-profile", claims.profile},
                   {"psa-client-id", claims.client_id},
                   {"psa-security-lifecycle", claims.lifecycle},
                   {"psa-security-lifecycle-name", lifecycle ? arm::name_of(*lifecycle) : "unknown"},
                   {"psa-implementation-id", codec::base64_encode(claims.implementation_id)},
                   {"psa-instance-id", codec::base64_encode(claims.instance_id)},
                   {"psa-nonce", codec::base64_encode(claims.nonce)},
                   {"psa-software-components", arm::claims_of(claims.software_components, "measurement-description")}};
  if (claims.boot_seed) out.append("psa-boot-seed", codec::base64_encode(*claims.boot_seed));
  if (claims.certification_reference) out.append("psa-certification-reference", *claims.certification_reference);
  if (claims.verification_service) out.append("psa-verification-service-indicator", *claims.verification_service);
  return out;
}

}  // namespace coffer::evidence::psa
