#include "keybroker/assembly.h"

#include "appraisal/builtin_service.h"
#include "appraisal/grpc/client.h"
#include "codec/base64.h"
#include "evidence/verifier_setup.h"
#include "keybroker/key_files.h"
#include "keybroker/refusal.h"

namespace coffer::keybroker {
namespace {

using storage::KeyValueStore;

constexpr std::string_view signer_space = "attestation_service_signer";
constexpr auto signer_certificate_lifetime = std::chrono::hours{24 * 3650};

struct Stores {
  std::shared_ptr<KeyValueStore> main, sessions, resources;
};

Result<std::shared_ptr<KeyValueStore>> open_store(const StorageConfig& config) {
  switch (config.kind) {
    case StorageKind::memory: return std::shared_ptr{storage::make_memory_store()};
    case StorageKind::sqlite: return std::shared_ptr { TRY(storage::open_sqlite_store(config.path))
      };
    case StorageKind::local_fs: return std::shared_ptr { TRY(storage::open_local_fs_store({.directory = config.path}))
      };
  }
  return fail(BrokerError::config_unsupported, "unknown storage kind");
}

Result<Stores> open_stores(const Config& config, const Dependencies& dependencies) {
  Stores stores;
  stores.main = dependencies.store ? dependencies.store : TRY(open_store(config.storage));
  stores.sessions = config.session_storage ? TRY(open_store(*config.session_storage)) : stores.main;
  stores.resources = stores.main;
  if (config.resources.repository) {
    stores.resources = TRY(storage::open_local_fs_store({.directory = *config.resources.repository, .nested = true}));
  }
  return stores;
}

// A signer key that came without a certificate gets one, kept beside our other signer state, so that relying parties
// have something to trust (trustee.md 2: a token whose jwk has no x5c is refused).
Result<std::string> certificate_for(KeyValueStore& store, ByteView key_pem, TimePoint now) {
  const auto key = TRY(crypto::PrivateKey::from_pem(key_pem));
  const auto name = codec::hex_encode(crypto::sha256(key.public_key().to_spki_der())) + ".pem";
  if (const auto stored = TRY(store.get(signer_space, name))) return to_text(*stored);
  const auto certificate = TRY(crypto::self_sign({.common_name = "Coffer attestation token signer",
                                                  .not_before = now - std::chrono::hours{1},
                                                  .not_after = now + signer_certificate_lifetime,
                                                  .is_ca = true},
                                                 key));
  auto pem = certificate.to_pem();
  const auto put = store.put_if(signer_space, name, std::nullopt, as_bytes(pem));
  if (put) return pem;
  if (put.error().code != ErrorCode{storage::StorageError::conflict}) return fail(put.error());
  return to_text(TRY(store.get(signer_space, name)).value_or(Bytes{}));  // another replica was first
}

Result<std::optional<appraisal::TokenSigner>> load_signer(const TokenSignerConfig& config, KeyValueStore& store,
                                                          TimePoint now) {
  if (config.key_path.empty()) return std::nullopt;
  auto pem = TRY(read_text_file(config.key_path, "signer.key_path"));
  appraisal::SignerFiles files{.key_pem = SecretBytes::copy_of(std::string_view{pem})};
  wipe({reinterpret_cast<std::byte*>(pem.data()), pem.size()});
  files.chain_pem = config.cert_path.empty() ? TRY(certificate_for(store, files.key_pem.expose(), now))
                                             : TRY(read_text_file(config.cert_path, "signer.cert_path"));
                                             if (!config.cert_url.empty()) files.cert_url = config.cert_url;
                                             return TRY(appraisal::TokenSigner::from_files(files));
}

// What services take from outside of their configuration.
struct Environment {
  const Clock& clock;
  crypto::RandomSource& random;
  net::MetricsRegistry& metrics;
};

struct Attestation {
  std::shared_ptr<appraisal::AttestationService> service{};
  std::vector<std::string> tees{};
  std::vector<crypto::Certificate> anchors{};
  std::string certificates{};
};

// Collateral lives in the broker's store: a second replica finds what the first one fetched.
Result<std::shared_ptr<const evidence::Registry>> make_registry(const Config& config, const Stores& stores,
                                                                const Environment& environment) {
  return std::make_shared<const evidence::Registry>(
      TRY(evidence::make_verifiers({.allow_tees = config.coffer.allow_tees,
                                    .allow_switch = "coffer-kbs --allow-tee",
                                    .verifier_config = config.attestation.verifier_config,
                                    .simulator_roots = config.coffer.simulator_roots,
                                    .collateral = {.store = stores.main,
                                                   .base_urls = config.coffer.collateral.services,
                                                   .offline = config.coffer.collateral.offline,
                                                   .budget = config.coffer.collateral.timeout,
                                                   .clock = &environment.clock,
                                                   .random = &environment.random,
                                                   .metrics = &environment.metrics}})));
}

Result<Attestation> make_builtin(const Config& config, const Stores& stores, const Environment& environment) {
  const auto registry = TRY(make_registry(config, stores, environment));
  const auto& clock = environment.clock;
  const auto& token = config.attestation;
  auto service = TRY(appraisal::BuiltinAttestationService::create({
    .store = stores.main, .registry = registry, .signer = TRY(load_signer(token.signer, *stores.main, clock.now()))
    ,
        .ear = {.issuer = token.issuer_name,
                .developer = token.developer_name,
                .build = token.build_name,
                .profile = token.profile_name,
                .lifetime = token.token_duration,
                .verbose_token = token.verbose_token},
        .clock = clock, .random = environment.random
  }));
  Attestation out{.service = service};
  for (const auto tee : registry->verifiers()) out.tees.emplace_back(wire_name(tee));
  for (const auto& certificate : service->signer().chain()) out.certificates += certificate.to_pem();
  // The signer's own certificate, not its issuer's: an authority of the house vouches for many that are no attestation
  // service.
  if (!service->signer().chain().empty()) out.anchors.push_back(service->signer().chain().front());
  return out;
}

Result<Attestation> make_attestation(const Config& config, const Stores& stores, const Dependencies& dependencies,
                                     const Environment& environment) {
  if (dependencies.attestation_service) return Attestation{.service = dependencies.attestation_service};
  switch (config.attestation.kind) {
    case AttestationKind::none: return Attestation{};
    case AttestationKind::builtin: return make_builtin(config, stores, environment);
    case AttestationKind::grpc:
      return Attestation {
        .service =
            TRY(appraisal::grpc::make_client({.address = config.attestation.as_addr, .random = environment.random}))
      };
  }
  return Attestation{};
}

Result<std::shared_ptr<appraisal::TokenVerifier>> make_verifier(const TokenTrustConfig& trust,
                                                                std::vector<crypto::Certificate> anchors) {
  appraisal::TokenVerifierOptions options{.trusted_jwk_sets = trust.trusted_jwk_sets,
                                          .extra_teekey_paths = trust.extra_teekey_paths,
                                          .insecure_header_jwk = trust.insecure_header_jwk,
                                          .trusted_certificates = std::move(anchors)};
  for (const auto& path : trust.trusted_certs_paths) options.trusted_certs_paths.push_back(path.string());
  return appraisal::TokenVerifier::create(std::move(options));
}

Result<> check_conflicts(const Config& config, bool has_anchor) {
  const int status = config.coffer.missing_resource_status;
  if (status != 401 && status != 404) {
    return fail(BrokerError::config_value,
                "[coffer] missing_resource_status: expected 404 or 401, found " + std::to_string(status));
  }
  if (config.coffer.unattested_reads && has_anchor) {
    return fail(BrokerError::config_conflict,
                "[coffer] unattested_reads is for a broker without attestation; this one has an attestation service or "
                "a trust anchor");
  }
  return {};
}

}  // namespace

Result<std::unique_ptr<Services>> assemble(Config config, const Dependencies& dependencies) {
  const auto& clock = dependencies.clock != nullptr ? *dependencies.clock : system_clock();
  auto& random = dependencies.random != nullptr ? *dependencies.random : crypto::system_random();
  const auto stores = TRY(open_stores(config, dependencies));
  auto metrics = std::make_unique<net::MetricsRegistry>();
  auto attestation = TRY(make_attestation(config, stores, dependencies, {clock, random, *metrics}));
  auto verifier = TRY(make_verifier(config.token_trust, attestation.anchors));
  const bool attests = attestation.service != nullptr;
  TRY(check_conflicts(config, attests || verifier->has_anchor()));
  auto admin = TRY(AdminAccess::create(config.admin));
  auto policies = TRY(ResourcePolicies::create(stores.main, config.coffer.default_policy, config.policy_path));
  const SessionStore sessions{stores.sessions};
  const IssuedTokens issued{stores.main};
  // Ahead of the allocation, which an early return would leave behind.
  auto http_metrics = TRY(HttpMetrics::create(*metrics));
  auto handshake_metrics = TRY(HandshakeMetrics::create(*metrics));
  auto resource_metrics = TRY(ResourceMetrics::create(*metrics));
  return std::unique_ptr<Services>(
      new Services{.clock = clock,
                   .random = random,
                   .store = stores.main,
                   .attestation = std::move(attestation.service),
                   .tees = std::move(attestation.tees),
                   .token_certificates = std::move(attestation.certificates),
                   .sessions = sessions,
                   .issued = issued,
                   .audit = AuditLog{stores.main, config.coffer.audit, clock, random},
                   .admin = std::move(admin),
                   .policies = std::move(policies),
                   .resources = Resources{stores.resources, config.resources.max_resource_size},
                   .tokens = TokenAccess{sessions, issued, std::move(verifier), attests},
                   .http_metrics = std::move(http_metrics),
                   .handshake_metrics = std::move(handshake_metrics),
                   .resource_metrics = std::move(resource_metrics),
                   .metrics = std::move(metrics),
                   .config = std::move(config)});
}

}  // namespace coffer::keybroker
