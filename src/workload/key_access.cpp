#include "workload/key_access.h"

#include "workload/published_key.h"
#include "workload/runtime_events.h"

namespace coffer::workload {
namespace {

using keyclient::BrokerOptions;
using keyclient::ResourceSource;

// One token for all that this access opens: it is renewed when it nears its end, and shared by threads.
Result<> open_attested(KeySettings& settings, KeyAccess& access) {
  const BrokerOptions broker{.url = settings.kbs_url, .extra_root_pems = settings.root_pems};
  keyclient::HandshakeOptions handshake{.tee_key = settings.tee_key, .init_data = std::move(settings.init_data)};
  const bool passport = access.decision.mode == Mode::passport;
  const BrokerOptions issuer{.url = passport ? settings.issuer_url : settings.kbs_url,
                             .extra_root_pems = settings.root_pems};
  access.tokens =
      TRY(keyclient::HandshakeTokenSource::create(issuer, access.attester->attester(), std::move(handshake)));
  const auto credential = passport ? keyclient::Credential::bearer : keyclient::Credential::cookie;
  access.source = TRY(keyclient::KbsResourceSource::create(broker, access.tokens, credential));
  return {};
}

// Directories and files in the order given; without any, upstream's usual places.
Result<std::shared_ptr<ResourceSource>> local_source(const KeySettings& settings) {
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

Result<std::unique_ptr<evidence::ChosenAttester>> choose_attester(const KeySettings& settings) {
  auto chosen = evidence::ChosenAttester::choose({.tee = settings.tee,
                                                  .init_data = settings.init_data,
                                                  .simulator_directory = settings.simulator_directory,
                                                  .event_log_pcr = settings.event_log_pcr});
  // In words of our own: a runner's exit code depends on them.
  if (!chosen && settings.tee.empty() && chosen.error().code == evidence::EvidenceError::no_device) {
    return fail(WorkloadError::no_tee, chosen.error().message);
  }
  auto out = std::make_unique<evidence::ChosenAttester>(TRY(std::move(chosen)));
  if (settings.init_data) TRY(RuntimeEvents{out.get()}.init_data(*settings.init_data));
  return out;
}

Result<KeyAccess> KeyAccess::open(KeySettings settings) {
  KeyAccess access;
  access.decision = TRY(decide(settings));
  const auto resources = settings.resources;
  if (access.decision.mode == Mode::offline) {
    access.source = TRY(local_source(settings));
  } else if (access.decision.unattested) {
    access.source = TRY(keyclient::unattested_client({.url = settings.kbs_url, .extra_root_pems = settings.root_pems}));
  } else {
    access.attester = TRY(choose_attester(settings));
    access.tee = access.attester->name();
    TRY(open_attested(settings, access));
  }
  if (resources.empty()) return access;
  auto mapped = TRY(keyclient::MappedSource::create(resources, access.source));
  access.source = std::move(mapped);
  return access;
  // The analyser does not follow ownership from a unique_ptr inside a Result into a shared_ptr.
}  // NOLINT(clang-analyzer-cplusplus.NewDeleteLeaks)

}  // namespace coffer::workload
