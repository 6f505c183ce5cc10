#include "fleet/sealed_update.h"

#include <array>

#include "codec/jose/jwe.h"
#include "codec/json_secret.h"
#include "fleet/attested_key.h"
#include "fleet/detail/members.h"
#include "fleet/detail/statement.h"
#include "fleet/round_update.h"

namespace coffer::fleet {
namespace {

using codec::jose::KeyManagement;
using codec::json::Object;
using detail::Members;

constexpr std::string_view update_type = "coffer-update+jwt";
constexpr std::array<KeyManagement, 2> allowed{KeyManagement::ecdh_es_a256kw, KeyManagement::rsa_oaep_256};

KeyManagement way_to(const crypto::PublicKey& key) {
  return key.kind() == crypto::KeyKind::rsa ? KeyManagement::rsa_oaep_256 : KeyManagement::ecdh_es_a256kw;
}

std::string text_of(const SignedUpdate& update) {
  Object object{{"update", update.document}};
  detail::append_text(object, "token", update.token);
  detail::append_text(object, "signature", update.signature);
  auto text = codec::json::serialize(object);
  return text;
}

}  // namespace

Result<std::string> sign_update(std::string_view document, const UpdateOrigin& origin, TimePoint now,
                                const crypto::PrivateKey& key) {
  return detail::sign_statement(update_type,
                                {{"proplet_id", origin.proplet_id},
                                 {"round_id", origin.round_id},
                                 {"update_digest", digest_of_text(document)},
                                 {"iat", to_unix_seconds(now)}},
                                key);
}

Result<> check_update(std::string_view signature, std::string_view document, const UpdateOrigin& origin,
                      const crypto::PublicKey& key) {
  const auto claims = TRY(detail::open_statement(update_type, signature, key));
  const Members members(claims, "signature");
  const auto matches = [&](std::string_view member, std::string_view expected) -> Result<> {
    const auto found = TRY(members.identifier(member));
    if (found == expected) return {};
    return fail(FleetError::bad_proof, members.path(member) + " is " + found + "; expected " + std::string{expected});
  };
  TRY(matches("proplet_id", origin.proplet_id));
  TRY(matches("round_id", origin.round_id));
  return matches("update_digest", digest_of_text(document));
}

Result<SealedUpdate> seal_update(SealedUpdate sealed, const SignedUpdate& content, const codec::jose::Jwk& recipient) {
  auto text = text_of(content);
  auto jwe = codec::jose::encrypt_flattened(as_bytes(text), recipient.key, way_to(recipient.key));
  wipe({reinterpret_cast<std::byte*>(text.data()), text.size()});
  sealed.jwe = TRY(std::move(jwe));
  sealed.key = codec::jose::thumbprint(recipient.key);
  return sealed;
}

Result<SignedUpdate> open_update(const SealedUpdate& sealed, const crypto::PrivateKey& key) {
  const auto opened = codec::jose::decrypt(sealed.jwe, key, allowed);
  if (!opened) {
    return fail(FleetError::bad_seal,
                "the seal of this update does not open by the key that it names: " + opened.error().message);
  }
  return parse_signed_update(as_text(opened->expose()));
}

Result<SignedUpdate> parse_signed_update(std::string_view text) {
  const codec::json::SecretDocument document {
    TRY(parse_update_object(text))
  };
  const Members members(*document->if_object(), "sealed");
  SignedUpdate update;
  update.document = TRY(members.text("update"));
  if (update.document.empty()) return fail(FleetError::missing_member, "sealed.update: expected text, found none");
  update.token = TRY(members.text("token"));
  update.signature = TRY(members.text("signature"));
  return update;
}

bool is_sealed_update(const Object& object) {
  return object.contains("update_sealed");
}

Result<SealedUpdate> read_sealed_update(const Object& object) {
  const Members members{object, "update"};
  SealedUpdate update;
  update.task_id = TRY(members.optional_identifier("task_id"));
  update.round_id = TRY(members.identifier("round_id"));
  update.proplet_id = TRY(members.identifier("proplet_id"));
  const auto sealed = TRY(members.object("update_sealed"));
  const Members seal{sealed, "update.update_sealed"};
  update.key = TRY(seal.identifier("key"));
  update.jwe = TRY(seal.text("jwe"));
  if (update.jwe.empty()) return fail(FleetError::missing_member, seal.path("jwe") + ": expected text, found none");
  return update;
}

Object write_sealed_update(const SealedUpdate& update) {
  Object seal{{"key", update.key}};
  detail::append_text(seal, "jwe", update.jwe);
  detail::append_text(seal, "digest", update.digest);
  return {{"task_id", update.task_id},
          {"round_id", update.round_id},
          {"proplet_id", update.proplet_id},
          {"format", SealedUpdate::format},
          {"update_sealed", std::move(seal)}};
}

std::string digest_of(const SealedUpdate& update) {
  return digest_of_text(update.jwe);
}

}  // namespace coffer::fleet
