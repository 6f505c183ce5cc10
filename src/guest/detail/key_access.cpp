#include "guest/detail/key_access.h"

#include "evidence/detect.h"
#include "guest/detail/published_key.h"

namespace coffer::guest::detail {
namespace {

using keyclient::BrokerOptions;
using keyclient::ResourceSource;

Result<evidence::TeeKind> find_tee(const std::string& name) {
  if (!name.empty()) return evidence::parse_tee_kind(name);
  if (const auto found = evidence::detect_tee()) return found->kind;
  return fail(
      GuestError::no_tee,
      "this machine shows no TEE, so it cannot attest; where the broker's owner allows it, `--tee sample` plays one");
}

Result<std::unique_ptr<evidence::Registry>> make_registry(const Settings& settings, evidence::TeeKind kind) {
  evidence::RegistryOptions options{.allow_switch = "--tee"};
  // Detection never finds a sample TEE, so this is one that was named.
  if (evidence::is_sample(kind)) options.allow_tees.emplace_back(evidence::wire_name(kind));
  if (settings.init_data) options.attester.sample_init_data_digest = settings.init_data->digest();
  return std::make_unique<evidence::Registry>(TRY(evidence::Registry::create(options)));
}

Result<std::shared_ptr<ResourceSource>> attested_source(Settings& settings, const Decision& decision,
                                                        const evidence::Attester& attester) {
  const BrokerOptions broker{.url = settings.kbs_url, .extra_root_pems = settings.root_pems};
  keyclient::HandshakeOptions handshake{.tee_key = settings.tee_key, .init_data = std::move(settings.init_data)};
  if (decision.mode == Mode::background_check) {
    return TRY(keyclient::background_check_client(broker, attester, std::move(handshake)));
  }
  const BrokerOptions issuer{.url = settings.issuer_url, .extra_root_pems = settings.root_pems};
  return TRY(keyclient::passport_client(issuer, broker, attester, std::move(handshake)));
}

// Directories and files in the order given; without any, upstream's usual places.
Result<std::shared_ptr<ResourceSource>> local_source(const Settings& settings) {
  if (settings.published_key) return std::make_shared<PublishedKeySource>();
  std::vector<std::shared_ptr<ResourceSource>> sources;
  sources.reserve(settings.key_directories.size() + 1);
  for (const auto& directory : settings.key_directories) {
    sources.push_back(TRY(keyclient::DirectoryResourceSource::open(directory)));
  }
  if (!settings.key_files.empty()) sources.push_back(TRY(keyclient::OfflineFsKbcSource::load(settings.key_files)));
  if (sources.empty() && settings.resources.empty()) {
    sources.push_back(TRY(keyclient::OfflineFsKbcSource::load(keyclient::OfflineFsKbcSource::default_files())));
  }
  return std::make_shared<keyclient::ChainedSource>(std::move(sources));
}

}  // namespace

Result<KeyAccess> KeyAccess::open(Settings settings) {
  KeyAccess access;
  access.decision = TRY(decide(settings));
  const auto resources = settings.resources;
  if (access.decision.mode == Mode::offline) {
    access.source = TRY(local_source(settings));
  } else if (access.decision.unattested) {
    access.source = TRY(keyclient::unattested_client({.url = settings.kbs_url, .extra_root_pems = settings.root_pems}));
  } else {
    const auto kind = TRY(find_tee(settings.tee));
    access.tee = evidence::wire_name(kind);
    access.registry = TRY(make_registry(settings, kind));
    access.source = TRY(attested_source(settings, access.decision, *TRY(access.registry->attester(kind))));
  }
  if (resources.empty()) return access;
  auto mapped = TRY(keyclient::MappedSource::create(resources, access.source));
  access.source = std::move(mapped);
  return access;
  // The analyser does not follow ownership from a unique_ptr inside a Result into a shared_ptr.
}  // NOLINT(clang-analyzer-cplusplus.NewDeleteLeaks)

}  // namespace coffer::guest::detail
