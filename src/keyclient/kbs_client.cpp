#include "keyclient/kbs_client.h"

#include <array>

#include "base/log.h"
#include "codec/jose/jwe.h"
#include "keyclient/detail/broker_api.h"

namespace coffer::keyclient {
namespace {

using codec::jose::KeyManagement;

constexpr std::array accepted_key_management{KeyManagement::ecdh_es_a256kw, KeyManagement::rsa_oaep_256};

net::Headers credential_headers(Credential credential, const AttestedToken& token) {
  // A session that gave no cookie back can still show its token.
  if (credential == Credential::cookie && !token.cookie.empty()) return {{"Cookie", token.cookie}};
  return {{"Authorization", "Bearer " + token.token}};
}

Result<SecretBytes> not_empty(SecretBytes resource, const codec::ResourceUri& uri, const std::string& broker) {
  if (!resource.empty()) return resource;
  return fail(KeyClientError::key_malformed,
              "broker " + broker + " released " + uri.text() + ", but it is empty; let its owner store it again");
}

Result<SecretBytes> open_response(ByteView jwe, const AttestedToken& token, const std::string& broker) {
  auto plaintext = codec::jose::decrypt(as_text(jwe), *token.tee_key, accepted_key_management);
  if (plaintext) return plaintext;
  return fail(
      KeyClientError::decryption_failed,
      "the answer of broker " + broker + " does not open with this guest's TEE key: " + plaintext.error().message);
}

}  // namespace

struct KbsResourceSource::Impl {
  detail::BrokerApi api;
  std::shared_ptr<TokenSource> tokens;
  Credential credential;

  Result<SecretBytes> fetch_once(const codec::ResourceUri& uri, const AttestedToken& token) const {
    const auto jwe = TRY(api.resource(uri, credential_headers(credential, token)));
    return not_empty(TRY(open_response(jwe.expose(), token, api.url())), uri, api.url());
  }

  Result<SecretBytes> fetch_unattested(const codec::ResourceUri& uri) const {
    log::warn("keyclient.unattested_read", "asking for a resource without attestation, as the broker allows",
              {{"broker", api.url()}, {"resource", uri.text()}});
    return not_empty(TRY(api.resource(uri, {})), uri, api.url());
  }
};

KbsResourceSource::KbsResourceSource(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
KbsResourceSource::~KbsResourceSource() = default;

Result<std::shared_ptr<KbsResourceSource>> KbsResourceSource::create(BrokerOptions broker,
                                                                     std::shared_ptr<TokenSource> tokens,
                                                                     Credential credential) {
  auto api = TRY(detail::BrokerApi::create(std::move(broker)));
  return std::shared_ptr<KbsResourceSource>{
      new KbsResourceSource(std::make_unique<Impl>(Impl{std::move(api), std::move(tokens), credential}))};
}

Result<SecretBytes> KbsResourceSource::fetch(const codec::ResourceUri& uri) {
  if (impl_->credential == Credential::none) return impl_->fetch_unattested(uri);
  auto token = TRY(impl_->tokens->token());
  auto resource = impl_->fetch_once(uri, *token);
  if (resource || resource.error().code != KeyClientError::unauthorized) return resource;
  // The session or token is unknown there: expired, or the broker was restarted. One new handshake; a second refusal
  // is final.
  log::info("keyclient.reattest", "the broker no longer accepts the session", {{"broker", impl_->api.url()}});
  impl_->tokens->forget(*token);
  token = TRY(impl_->tokens->token());
  return impl_->fetch_once(uri, *token);
}

std::string KbsResourceSource::describe() const {
  return "broker " + impl_->api.url();
}

Result<std::shared_ptr<KbsResourceSource>> background_check_client(BrokerOptions broker,
                                                                   const evidence::Attester& attester,
                                                                   HandshakeOptions options) {
  auto tokens = TRY(HandshakeTokenSource::create(broker, attester, std::move(options)));
  return KbsResourceSource::create(std::move(broker), std::move(tokens), Credential::cookie);
}

Result<std::shared_ptr<KbsResourceSource>> passport_client(BrokerOptions issuer, BrokerOptions resource_broker,
                                                           const evidence::Attester& attester,
                                                           HandshakeOptions options) {
  auto tokens = TRY(HandshakeTokenSource::create(std::move(issuer), attester, std::move(options)));
  return KbsResourceSource::create(std::move(resource_broker), std::move(tokens), Credential::bearer);
}

Result<std::shared_ptr<KbsResourceSource>> unattested_client(BrokerOptions broker) {
  return KbsResourceSource::create(std::move(broker), nullptr, Credential::none);
}

}  // namespace coffer::keyclient
