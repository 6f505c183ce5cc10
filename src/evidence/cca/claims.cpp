#include "evidence/cca/claims.h"

#include "codec/base64.h"

namespace coffer::evidence::cca {

namespace json = codec::json;
using codec::base64_encode;

namespace {

json::Object platform_claims(const Platform& platform) {
  json::Object out{{"cca-platform-profile", platform.profile},
                   {"cca-platform-implementation-id", base64_encode(platform.implementation_id)},
                   {"cca-platform-instance-id", base64_encode(platform.instance_id)},
                   {"cca-platform-challenge", base64_encode(platform.challenge)},
                   {"cca-platform-config", base64_encode(platform.config)},
                   {"cca-platform-lifecycle", platform.lifecycle},
                   {"cca-platform-sw-components", arm::claims_of(platform.software_components, "hash-algo-id")},
                   {"cca-platform-hash-algo-id", platform.hash_algorithm}};
  if (platform.verification_service) {
    out.append("cca-platform-service-indicator", *platform.verification_service);
  }
  return out;
}

json::Object realm_claims(const Realm& realm) {
  json::Array extensible;
  for (const auto& each : realm.extensible_measurements) extensible.emplace_back(base64_encode(each));
  json::Object out{{"cca-realm-challenge", base64_encode(realm.challenge)},
                   {"cca-realm-personalization-value", base64_encode(realm.personalization_value)},
                   {"cca-realm-initial-measurement", base64_encode(realm.initial_measurement)},
                   {"cca-realm-extensible-measurements", std::move(extensible)},
                   {"cca-realm-hash-algo-id", realm.hash_algorithm},
                   {"cca-realm-public-key", base64_encode(realm.public_key)},
                   {"cca-realm-public-key-hash-algo-id", realm.public_key_hash_algorithm}};
  if (realm.profile) out.append("cca-realm-profile", *realm.profile);
  return out;
}

}  // namespace

json::Object claims_of(const Token& token) {
  return {{"realm", realm_claims(token.realm)}, {"platform", platform_claims(token.platform)}};
}

}  // namespace coffer::evidence::cca
