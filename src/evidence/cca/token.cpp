#include "evidence/cca/token.h"

#include "evidence/cca/collection.h"

namespace coffer::evidence::cca {

namespace cbor = codec::cbor;

namespace {

constexpr std::int64_t claim_challenge = 10;
constexpr std::int64_t claim_profile = 265;
constexpr std::int64_t claim_instance_id = 256;
constexpr std::int64_t claim_lifecycle = 2395;
constexpr std::int64_t claim_implementation_id = 2396;
constexpr std::int64_t claim_software_components = 2399;
constexpr std::int64_t claim_verification_service = 2400;
constexpr std::int64_t claim_config = 2401;
constexpr std::int64_t claim_platform_hash = 2402;
constexpr std::int64_t claim_personalization_value = 44235;
constexpr std::int64_t claim_realm_hash = 44236;
constexpr std::int64_t claim_realm_key = 44237;
constexpr std::int64_t claim_initial_measurement = 44238;
constexpr std::int64_t claim_extensible_measurements = 44239;
constexpr std::int64_t claim_realm_key_hash = 44240;

constexpr SizeBounds text_size{1, 256};
constexpr SizeBounds key_size{1, 512};
constexpr cbor::Limits limits{.max_size = max_token, .max_depth = 6, .max_items = 2048};

Result<cbor::Value> parse_claims(ByteView claims, CcaError code, std::string_view what) {
  auto value = cbor::parse(claims, limits);
  if (value) return value;
  return fail(code, std::string{what} + ": " + value.error().message);
}

Result<std::array<Bytes, 4>> parse_measurements(const CborFields& fields) {
  const auto* value = fields.find(claim_extensible_measurements);
  const auto* array = value == nullptr ? nullptr : value->if_array();
  std::array<Bytes, 4> out;
  if (array == nullptr || array->size() != out.size()) {
    return fields.bad("extensible-measurements", "an array of 4",
                      array == nullptr ? "none" : std::to_string(array->size()));
  }
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = TRY(fields.hash(&(*array)[i], "extensible-measurement"));
  return out;
}

std::unexpected<Error> unknown_profile(std::string_view which, const std::string& found) {
  return fail(CcaError::unknown_profile,
              "the " + std::string{which} + " token's profile \"" + found.substr(0, 128) + "\" is not known here");
}

std::unexpected<Error> bad_key(const std::string& message) {
  return fail(CcaError::bad_realm_key, "the realm's public key " + message);
}

Result<crypto::PublicKey> key_of(crypto::KeyKind kind, ByteView x, ByteView y) {
  auto key = crypto::PublicKey::from_ec_coordinates(kind, x, y);
  if (key) return key;
  return bad_key("is none: " + key.error().message);
}

// An uncompressed point of P-384 (RMM specification 1.0, A7.2.3.1.6).
Result<crypto::PublicKey> key_of_point(ByteView point) {
  if (point.size() != 97 || point[0] != std::byte{0x04}) {
    return bad_key("is expected to be an uncompressed point of 97 bytes, found " + std::to_string(point.size()));
  }
  return key_of(crypto::KeyKind::ec_p384, point.subspan(1, 48), point.subspan(49));
}

std::optional<crypto::KeyKind> curve_of(std::optional<std::uint64_t> number) {
  if (number == 1U) return crypto::KeyKind::ec_p256;
  if (number == 2U) return crypto::KeyKind::ec_p384;
  if (number == 3U) return crypto::KeyKind::ec_p521;
  return std::nullopt;
}

// COSE_Key of type EC2 (RFC 9053 section 7.1.1).
Result<crypto::PublicKey> key_of_cose(ByteView bytes) {
  const auto value = cbor::parse(bytes, limits);
  if (!value || value->if_map() == nullptr) return bad_key("is expected to be a COSE_Key");
  const auto integer = [&](std::int64_t label) {
    const auto* member = value->find(label);
    return member == nullptr ? std::nullopt : member->if_uint64();
  };
  const auto curve = curve_of(integer(-1));
  const auto* x = value->find(-2);
  const auto* y = value->find(-3);
  if (integer(1) != 2U || !curve || x == nullptr || y == nullptr || x->if_bytes() == nullptr ||
      y->if_bytes() == nullptr) {
    return bad_key("is expected to be a COSE_Key of type EC2 with both coordinates");
  }
  return key_of(*curve, *x->if_bytes(), *y->if_bytes());
}

}  // namespace

arm::TokenCodes platform_codes() {
  return {CcaError::bad_platform_token, CcaError::platform_signature, CcaError::untrusted_platform};
}

arm::TokenCodes realm_codes() {
  return {CcaError::bad_realm_token, CcaError::realm_signature, CcaError::bad_realm_token};
}

Result<Platform> parse_platform(ByteView claims) {
  const auto code = CcaError::bad_platform_claims;
  const auto value = TRY(parse_claims(claims, code, "the platform's claims"));
  const auto fields = TRY(CborFields::open(value, code, "the platform's claims"));
  Platform out;
  out.profile = TRY(fields.text(fields.find(claim_profile), "profile", text_size));
  if (out.profile != platform_profile && out.profile != older_platform_profile) {
    return unknown_profile("platform", out.profile);
  }
  out.challenge = TRY(fields.hash(fields.find(claim_challenge), "challenge"));
  out.implementation_id = TRY(fields.bytes(fields.find(claim_implementation_id), "implementation-id", {32, 32}));
  out.instance_id = TRY(fields.bytes(fields.find(claim_instance_id), "instance-id", {33, 33}));
  out.config = TRY(fields.bytes(fields.find(claim_config), "config", {0, 1024}));
  out.lifecycle = TRY(fields.number(fields.find(claim_lifecycle), "lifecycle", 0xffff));
  if (!arm::parse_lifecycle(out.lifecycle)) {
    return fields.bad("lifecycle", "one of the seven states", std::to_string(out.lifecycle));
  }
  out.software_components =
      TRY(arm::parse_software_components(fields, fields.find(claim_software_components), code, true));
  out.verification_service =
      TRY(fields.optional_text(fields.find(claim_verification_service), "verification service", {0, 1024}));
  out.hash_algorithm = TRY(fields.text(fields.find(claim_platform_hash), "hash-algo-id", text_size));
  return out;
}

Result<Realm> parse_realm(ByteView claims) {
  const auto code = CcaError::bad_realm_claims;
  const auto value = TRY(parse_claims(claims, code, "the realm's claims"));
  const auto fields = TRY(CborFields::open(value, code, "the realm's claims"));
  Realm out;
  out.profile = TRY(fields.optional_text(fields.find(claim_profile), "profile", text_size));
  if (out.profile && *out.profile != realm_profile) return unknown_profile("realm", *out.profile);
  out.challenge = TRY(fields.bytes(fields.find(claim_challenge), "challenge", {challenge_size, challenge_size}));
  out.personalization_value =
      TRY(fields.bytes(fields.find(claim_personalization_value), "personalization-value", {64, 64}));
  out.initial_measurement = TRY(fields.hash(fields.find(claim_initial_measurement), "initial-measurement"));
  out.extensible_measurements = TRY(parse_measurements(fields));
  out.hash_algorithm = TRY(fields.text(fields.find(claim_realm_hash), "hash-algo-id", text_size));
  out.public_key = TRY(fields.bytes(fields.find(claim_realm_key), "public-key", key_size));
  out.public_key_hash_algorithm =
      TRY(fields.text(fields.find(claim_realm_key_hash), "public-key-hash-algo-id", text_size));
  return out;
}

Result<Token> parse_token(ByteView token) {
  const auto collection = TRY(parse_collection(token));
  auto platform_token = TRY(arm::parse_signed_token(collection.platform, platform_codes(), "the platform token"));
  auto realm_token = TRY(arm::parse_signed_token(collection.realm, realm_codes(), "the realm token"));
  auto platform = TRY(parse_platform(platform_token.message.payload));
  auto realm = TRY(parse_realm(realm_token.message.payload));
  return Token{std::move(platform_token), std::move(realm_token), std::move(platform), std::move(realm)};
}

Result<crypto::PublicKey> realm_key(const Realm& realm) {
  return realm.profile ? key_of_cose(realm.public_key) : key_of_point(realm.public_key);
}

Result<Bytes> realm_key_hash(const Realm& realm) {
  const auto& name = realm.public_key_hash_algorithm;
  if (name == "sha-256") return crypto::sha256(realm.public_key);
  if (name == "sha-384") return crypto::sha384(realm.public_key);
  if (name == "sha-512") return crypto::hash(crypto::HashAlgorithm::sha512, realm.public_key);
  return bad_key("is expected to be hashed by sha-256, sha-384 or sha-512, found \"" + name + "\"");
}

Bytes encode_platform(const Platform& platform) {
  cbor::Map map{{claim_profile, platform.profile},
                {claim_challenge, platform.challenge},
                {claim_implementation_id, platform.implementation_id},
                {claim_instance_id, platform.instance_id},
                {claim_config, platform.config},
                {claim_lifecycle, platform.lifecycle},
                {claim_software_components, arm::encode_software_components(platform.software_components)},
                {claim_platform_hash, platform.hash_algorithm}};
  if (platform.verification_service) map.emplace_back(claim_verification_service, *platform.verification_service);
  return cbor::encode(map);
}

Bytes encode_realm(const Realm& realm) {
  cbor::Map map{
      {claim_challenge, realm.challenge},
      {claim_personalization_value, realm.personalization_value},
      {claim_initial_measurement, realm.initial_measurement},
      {claim_extensible_measurements,
       cbor::Array(realm.extensible_measurements.begin(), realm.extensible_measurements.end())},
      {claim_realm_hash, realm.hash_algorithm},
      {claim_realm_key, realm.public_key},
      {claim_realm_key_hash, realm.public_key_hash_algorithm},
  };
  if (realm.profile) map.emplace_back(claim_profile, *realm.profile);
  return cbor::encode(map);
}

}  // namespace coffer::evidence::cca
