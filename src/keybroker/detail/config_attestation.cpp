#include "keybroker/detail/config_sections.h"

namespace coffer::keybroker::detail {
namespace {

constexpr std::int64_t longest_minutes = std::int64_t{60} * 24 * 365;

Result<> read_minutes(ConfigTable& table, std::string_view key, Duration& into) {
  if (const auto minutes = TRY(table.number(key, 1, longest_minutes))) into = std::chrono::minutes{*minutes};
  return {};
}

Result<> read_token_options(ConfigTable& table, AttestationConfig& into) {
  TRY(read_minutes(table, "duration_min", into.token_duration));
  TRY(table.read("issuer_name", into.issuer_name));
  TRY(table.read("developer_name", into.developer_name));
  TRY(table.read("build_name", into.build_name));
  TRY(table.read("profile_name", into.profile_name));
  TRY(table.read("verbose_token", into.verbose_token));
  if (auto signer = TRY(table.table("signer"))) {
    TRY(signer->read("key_path", into.signer.key_path));
    TRY(signer->read("cert_path", into.signer.cert_path));
    TRY(signer->read("cert_url", into.signer.cert_url));
    if (into.signer.key_path.empty() && !into.signer.cert_path.empty()) {
      return signer->error(BrokerError::config_value, "key_path", "expected the key of cert_path");
    }
    signer->finish();
  }
  if (table.has("policy_dir")) {
    table.notice(table.path() +
                 ".policy_dir has no effect: appraisal policies are in the store, and what lies in that directory does "
                 "not guard anything until it is set (POST /kbs/v0/attestation-policy)");
  }
  // The token's kind (older: "Simple" or "Ear"). Every token is an EAR now.
  table.ignore({"type", "policy_dir"});
  table.finish();
  return {};
}

// A table since v0.11; a bare name before.
Result<> read_token_broker(ConfigTable& service, AttestationConfig& into) {
  if (service.is_table("attestation_token_broker")) {
    if (auto table = TRY(service.table("attestation_token_broker"))) TRY(read_token_options(*table, into));
  } else {
    TRY(service.text("attestation_token_broker"));
  }
  if (auto table = TRY(service.table("attestation_token_config"))) TRY(read_token_options(*table, into));
  return {};
}

Result<> read_rvps(ConfigTable& service) {
  auto table = TRY(service.table("rvps_config"));
  if (!table) return {};
  const auto type = TRY(table->text("type"))
  .value_or("BuiltIn");
  const auto remote = TRY(table->text("remote_addr"))
  .value_or("");
  if (type == "GrpcRemote" || !remote.empty()) {
    return table->error(
        BrokerError::config_unsupported, remote.empty() ? "type" : "remote_addr",
        "a remote reference value service is not in this build; reference values are kept in this broker");
  }
  if (type != "BuiltIn")
    return table->error(BrokerError::config_value, "type", "expected BuiltIn or GrpcRemote, found " + type);
  table->ignore({"address", "extractors", "storage_type", "store_type", "store_config", "storage"});
  table->finish();
  return {};
}

Result<> read_builtin(ConfigTable& service, AttestationConfig& into) {
  TRY(read_token_broker(service, into));
  TRY(read_rvps(service));
  if (auto verifiers = TRY(service.object("verifier_config"))) into.verifier_config = *std::move(verifiers);
  service.ignore({"storage_type", "work_dir", "policy_engine"});
  return {};
}

Result<AttestationKind> service_kind(ConfigTable& service) {
  const auto type = TRY(service.text("type"));
  if (!type) {
    return service.error(BrokerError::config_value, "type", "expected coco_as_builtin or coco_as_grpc, found nothing");
  }
  if (*type == "coco_as_builtin") return AttestationKind::builtin;
  if (*type == "coco_as_grpc") return AttestationKind::grpc;
  if (*type == "intel_ta") {
    return service.error(BrokerError::config_unsupported, "type", "Intel Trust Authority is not in this build");
  }
  return service.error(BrokerError::config_value, "type",
                       "expected coco_as_builtin, coco_as_grpc or intel_ta, found " + *type);
}

Result<> read_service(ConfigTable& service, AttestationConfig& into) {
  into.kind = TRY(service_kind(service));
  TRY(read_minutes(service, "timeout", into.session_timeout));
  TRY(service.read("as_addr", into.as_addr));
  TRY(read_builtin(service, into));
  service.ignore({"pool_size"});
  service.finish();
  return {};
}

// To v0.10. A server without either table had the service built in, unless it was the passport's resource broker, which
// names whom to trust.
Result<> read_oldest(ConfigTable& root, Config& config) {
  auto& into = config.attestation;
  auto builtin = TRY(root.table("as_config"));
  auto remote = TRY(root.table("grpc_config"));
  if (builtin && remote) return root.error(BrokerError::config_conflict, "grpc_config", "[as_config] is given too");
  if (builtin || remote) {
    root.notice(
        "[as_config] and [grpc_config] are the form of Trustee up to v0.10; the current one is "
        "[attestation_service]");
  }
  if (builtin) {
    into.kind = AttestationKind::builtin;
    TRY(read_builtin(*builtin, into));
    builtin->finish();
  } else if (remote) {
    into.kind = AttestationKind::grpc;
    TRY(remote->read("as_addr", into.as_addr));
    remote->ignore({"pool_size"});
    remote->finish();
  } else if (!root.has("http_server") &&
             (root.has("sockets") || root.has("insecure_http") || root.has("private_key")) &&
             config.token_trust.trusted_certs_paths.empty()) {
    into.kind = AttestationKind::builtin;
    root.notice("no attestation service is named; as in Trustee up to v0.10 the built-in one is assumed");
  }
  return {};
}

// The seed's word for what the configuration says anyway; it decides nothing and may not contradict.
Result<> check_attestation_type(const ConfigTable& table, const std::string& type, const Config& config) {
  const bool attests = config.attestation.kind != AttestationKind::none;
  const auto& trust = config.token_trust;
  if (type == "background_check") {
    if (attests) return {};
    return table.error(BrokerError::config_conflict, "attestation_type",
                       "background_check needs an attestation service: configure [attestation_service] type");
  }
  if (type != "passport") {
    return table.error(BrokerError::config_value, "attestation_type",
                       "expected background_check or passport, found " + type);
  }
  if (attests) {
    return table.error(BrokerError::config_conflict, "attestation_type",
                       "passport is for a broker without attestation service, and one is configured; the issuer of "
                       "passports is a background_check broker");
  }
  if (trust.trusted_certs_paths.empty() && trust.trusted_jwk_sets.empty() && !trust.insecure_header_jwk) {
    return table.error(BrokerError::config_conflict, "attestation_type",
                       "passport needs an issuer to trust: configure [attestation_token] trusted_certs_paths");
  }
  return {};
}

}  // namespace

Result<> read_attestation(ConfigTable& root, Config& config) {
  auto service = TRY(root.table("attestation_service"));
  const auto outer = TRY(root.text("attestation_type"));
  const auto inner = service ? TRY(service->text("attestation_type")) : std::nullopt;
  if (service && (root.has("as_config") || root.has("grpc_config"))) {
    return root.error(BrokerError::config_conflict, "attestation_service", "[as_config] or [grpc_config] is given too");
  }
  // A table with nothing but the seed's attestation_type in it names no service.
  const bool names_service = service && (!inner || service->has("type"));
  if (names_service) {
    TRY(read_service(*service, config.attestation));
  } else {
    TRY(read_oldest(root, config));
    if (service) service->finish();
  }
  if (outer) TRY(check_attestation_type(root, *outer, config));
  if (inner) TRY(check_attestation_type(*service, *inner, config));
  return {};
}

Result<> read_token_trust(ConfigTable& root, TokenTrustConfig& trust) {
  const bool old = root.has("attestation_token_config");
  if (old && root.has("attestation_token")) {
    return root.error(BrokerError::config_conflict, "attestation_token_config", "[attestation_token] is given too");
  }
  if (old) {
    root.notice(
        "[attestation_token_config] is the form of Trustee up to v0.10; the current one is [attestation_token]");
  }
  auto table = TRY(root.table(old ? "attestation_token_config" : "attestation_token"));
  if (!table) return {};
  for (auto& path : TRY(table->texts("trusted_certs_paths")).value_or(std::vector<std::string>{})) {
    trust.trusted_certs_paths.emplace_back(std::move(path));
  }
  trust.trusted_jwk_sets = TRY(table->texts("trusted_jwk_sets"))
  .value_or(std::vector<std::string>{});
  trust.extra_teekey_paths = TRY(table->texts("extra_teekey_paths"))
  .value_or(std::vector<std::string>{});
  TRY(table->read("insecure_key", trust.insecure_header_jwk));
  if (table->has("insecure_key")) table->notice("attestation_token.insecure_key is now called insecure_header_jwk");
  TRY(table->read("insecure_header_jwk", trust.insecure_header_jwk));
  table->ignore({"attestation_token_type", "type"});
  table->finish();
  return {};
}

}  // namespace coffer::keybroker::detail
