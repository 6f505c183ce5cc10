#include <CLI/CLI.hpp>
#include <iostream>

#include "apps/coffer/context.h"
#include "apps/coffer/evidence_input.h"
#include "apps/coffer/output.h"
#include "evidence/verifier_setup.h"

namespace coffer::cli {
namespace {

using codec::json::Object;
using evidence::CollateralCache;

struct StoreOptions {
  std::string store;  // empty: the home's
  std::string bundle;
};

struct FetchOptions {
  EvidenceOptions evidence;
  std::string file;
  std::string bundle;
  std::vector<std::string> services;
};

// The broker's own store, running or not: SQLite serves several processes.
Result<std::shared_ptr<CollateralCache>> open_cache(const Context& context, const StoreOptions& options) {
  const std::filesystem::path file =
      options.store.empty() ? context.home().store() : std::filesystem::path(options.store);
  if (!std::filesystem::exists(file)) {
    return fail(CliError::file,
                "there is no store at " + file.string() + "; `coffer init` makes one, --store names one");
  }
  return CollateralCache::create({ .store = std::shared_ptr(TRY(storage::open_sqlite_store(file))), .offline = true });
}

Result<int> export_bundle(const Context& context, const StoreOptions& options) {
  const auto cache = TRY(open_cache(context, options));
  const auto bundle = TRY(cache->export_bundle());
  TRY(write_file(options.bundle, as_bytes(bundle)));
  if (context.json) {
    print_json(Object{{"file", options.bundle}, {"bytes", static_cast<std::int64_t>(bundle.size())}});
  } else {
    std::cout << "wrote " << options.bundle << " (" << human_size(bundle.size()) << ")" << std::endl;
  }
  return 0;
}

Result<int> import_bundle(const Context& context, const StoreOptions& options) {
  const auto cache = TRY(open_cache(context, options));
  const auto report = TRY(cache->import_bundle(as_text(TRY(read_file(options.bundle)))));
  if (context.json) {
    print_json(
        Object{{"added", static_cast<std::int64_t>(report.added)}, {"known", static_cast<std::int64_t>(report.known)}});
  } else {
    std::cout << report.added << " added, " << report.known << " known already" << std::endl;
  }
  return 0;
}

// Verifying is what tells which endorsements a piece of evidence needs.
Result<int> fetch(const Context& context, const FetchOptions& options) {
  // A person waits here, not a guest.
  evidence::CollateralCacheOptions cache_options{.budget = std::chrono::seconds{60}};
  for (const auto& text : options.services)
    cache_options.base_urls.insert(TRY(evidence::parse_collateral_service(text)));
  const auto cache = TRY(CollateralCache::create(std::move(cache_options)));
  const auto verifier = TRY(OfflineVerifier::create(options.evidence, cache));
  TRY(verifier.verify(TRY(load_evidence(options.file, verifier.verifier(), options.evidence))));
  TRY(write_file(options.bundle, as_bytes(TRY(cache->export_bundle()))));
  if (context.json) {
    print_json(Object{{"file", options.bundle}});
  } else {
    std::cout << "wrote " << options.bundle << std::endl;
  }
  return 0;
}

}  // namespace

void add_collateral_commands(CLI::App& app, Commands& commands) {
  auto* group =
      app.add_subcommand("collateral", "endorsements that verifiers need: certificates, revocation lists, TCB info");
  group->require_subcommand(1);

  const auto with_store = [](CLI::App* command, StoreOptions& options) {
    command->add_option("FILE", options.bundle, "the bundle: one JSON file")->required();
    command->add_option("--store", options.store,
                        "SQLite store of a broker or attestation service (default: the home's)");
  };
  auto* export_command = group->add_subcommand(
      "export", "what a store holds, for a site without a network\n  coffer collateral export bundle.json");
  auto export_options = std::make_shared<StoreOptions>();
  with_store(export_command, *export_options);
  commands.on(export_command,
              [&commands, export_options] { return export_bundle(commands.context(), *export_options); });

  auto* import_command =
      group->add_subcommand("import", "put a bundle into a store\n  coffer collateral import bundle.json");
  auto import_options = std::make_shared<StoreOptions>();
  with_store(import_command, *import_options);
  commands.on(import_command,
              [&commands, import_options] { return import_bundle(commands.context(), *import_options); });

  auto* fetch_command = group->add_subcommand(
      "fetch",
      "ask the vendors for what a piece of evidence needs\n  coffer collateral fetch --tee snp report.bin bundle.json");
  auto fetch_options = std::make_shared<FetchOptions>();
  fetch_options->evidence.add_to(fetch_command);
  fetch_command->add_option("EVIDENCE", fetch_options->file, "evidence document, or raw report or quote")->required();
  fetch_command->add_option("BUNDLE", fetch_options->bundle, "file to write")->required();
  fetch_command->add_option("--collateral-service", fetch_options->services,
                            "NAME=URL: where a vendor's endorsements are, instead of the vendor");
  commands.on(fetch_command, [&commands, fetch_options] { return fetch(commands.context(), *fetch_options); });
}

}  // namespace coffer::cli
