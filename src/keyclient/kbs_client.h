// The client side of the KBS protocol: attest once, then fetch resources while the token lives.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "crypto/keys.h"
#include "evidence/init_data.h"
#include "evidence/tee.h"
#include "keyclient/resource_source.h"
#include "net/http_client.h"

namespace coffer::keyclient {

// The key that a broker encrypts its answers to. "ECDH-ES+A256KW-P256" (default), "ECDH-ES+A256KW-P521",
// "RSA-OAEP-256".
enum class TeeKeyAlgorithm { ecdh_p256, ecdh_p521, rsa_2048 };
std::string_view name_of(TeeKeyAlgorithm algorithm);
Result<TeeKeyAlgorithm> parse_tee_key_algorithm(std::string_view name);

// What attestation yields: the token, and the one key that opens what is released to it. They live and die together.
struct AttestedToken {
  std::string token;  // compact JWT
  std::shared_ptr<const crypto::PrivateKey> tee_key;
  TimePoint expires;     // by this machine's clock, from the token's own lifetime
  std::string cookie{};  // "kbs-session-id=...", for the broker that issued it
  std::string tee{};     // wire name
};

struct BrokerOptions {
  std::string url;                             // "http://host:8080", a trailing slash does not matter
  std::shared_ptr<net::HttpClient> http{};     // none: one of our own
  std::vector<std::string> extra_root_pems{};  // for a client of our own
  Duration timeout = std::chrono::seconds{60};
  unsigned max_attempts = 3;  // of one exchange, and only where the failure may pass by itself
  Duration first_retry_delay = std::chrono::milliseconds{250};
};

struct HandshakeOptions {
  TeeKeyAlgorithm tee_key = TeeKeyAlgorithm::ecdh_p256;
  std::optional<evidence::InitData> init_data{};
  std::vector<const evidence::Attester*> devices{};  // additional evidence; they outlive the object
  Duration renew_before = std::chrono::seconds{30};  // a token this near to its end is not used again
  const Clock* clock = nullptr;                      // none: the system's
};

// Who gives out tokens. token() answers from memory while the token lives; callers that come while one handshake runs
// wait for its result (single-flight). Tokens and keys never reach a disk.
class TokenSource {
 public:
  virtual ~TokenSource() = default;
  virtual Result<std::shared_ptr<const AttestedToken>> token() = 0;
  // A broker no longer takes this token: the next token() attests anew. Does nothing when a newer one is held already.
  virtual void forget(const AttestedToken& rejected) = 0;
};

// The RCAR handshake with a broker that has an attestation service (background check; the issuer in passport mode).
class HandshakeTokenSource final : public TokenSource {
 public:
  // `attester` outlives the object. bad_uri for an address that is no http or https URL.
  static Result<std::shared_ptr<HandshakeTokenSource>> create(BrokerOptions broker, const evidence::Attester& attester,
                                                              HandshakeOptions options = {});
  ~HandshakeTokenSource() override;
  // Errors: unreachable, tls, not_a_broker, unavailable, no_attestation_service, version_mismatch, tee_refused,
  // evidence_rejected, attester_failed, protocol.
  Result<std::shared_ptr<const AttestedToken>> token() override;
  void forget(const AttestedToken& rejected) override;
  // How many handshakes were started since creation.
  unsigned handshakes() const;

 private:
  struct Impl;
  explicit HandshakeTokenSource(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// How a request shows that it is attested: upstream's background-check client sends the session's cookie, its passport
// client the token. none: only for a broker whose owner lets it serve without attestation; answers are then plaintext.
enum class Credential { cookie, bearer, none };

// Resources of a broker. A 401 that says that the session or token is unknown leads to one new handshake; a denial by
// policy or a missing resource is final at once.
class KbsResourceSource final : public ResourceSource {
 public:
  static Result<std::shared_ptr<KbsResourceSource>> create(BrokerOptions broker, std::shared_ptr<TokenSource> tokens,
                                                           Credential credential);
  ~KbsResourceSource() override;
  // Errors: those of TokenSource::token, and unauthorized, no_trust_anchor, policy_denied, not_found, key_malformed
  // (empty), decryption_failed. The host in `uri` is ignored, as upstream does.
  Result<SecretBytes> fetch(const codec::ResourceUri& uri) override;
  std::string describe() const override;

 private:
  struct Impl;
  explicit KbsResourceSource(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// Background check: one broker attests and releases.
Result<std::shared_ptr<KbsResourceSource>> background_check_client(BrokerOptions broker,
                                                                   const evidence::Attester& attester,
                                                                   HandshakeOptions options = {});
// Passport: `issuer` attests and gives the token, `resource_broker` releases for it.
Result<std::shared_ptr<KbsResourceSource>> passport_client(BrokerOptions issuer, BrokerOptions resource_broker,
                                                           const evidence::Attester& attester,
                                                           HandshakeOptions options = {});
// A broker that serves without attestation. Each read is logged as a warning.
Result<std::shared_ptr<KbsResourceSource>> unattested_client(BrokerOptions broker);

}  // namespace coffer::keyclient
