// Evidence in files, and what it takes to verify it without a broker: options that several commands share.
#pragma once

#include <string>
#include <vector>

#include "apps/coffer/context.h"
#include "evidence/registry.h"

namespace coffer::cli {

struct EvidenceOptions {
  std::string tee{};
  std::vector<std::string> certificates{};  // PEM or DER
  std::vector<std::string> collateral{};    // files or directories
  std::string at{};                         // RFC 3339; empty: now
  std::string report_data{};                // hex; empty: not compared
  std::string init_data{};                  // hex digest; empty: not compared
  std::vector<std::string> simulator_roots{};
  std::string verifier_config{};  // JSON file

  // --tee alone, for commands that only read.
  void add_tee(CLI::App* command);
  void add_to(CLI::App* command);
};

// An evidence document, or a raw report, quote or document, by its first byte: JSON begins with '{'.
Result<codec::json::Value> load_evidence(const std::string& file, const evidence::Verifier& verifier,
                                         const EvidenceOptions& options);

// Verifiers that may use what the options name and nothing else: no vendor's service is asked, unless `collateral` is
// a source that asks it.
class OfflineVerifier {
 public:
  static Result<OfflineVerifier> create(const EvidenceOptions& options,
                                        std::shared_ptr<evidence::Collateral> collateral = nullptr);

  const evidence::Verifier& verifier() const { return *verifier_; }
  TimePoint at() const { return at_; }
  // Whether report data was given to compare with.
  bool bound() const { return binding_.report_data.has_value(); }
  Result<std::vector<evidence::Claims>> verify(const codec::json::Value& evidence) const;

 private:
  OfflineVerifier(evidence::Registry registry, const evidence::Verifier* verifier, TimePoint at,
                  evidence::Binding binding)
      : registry_(std::move(registry)), verifier_(verifier), at_(at), binding_(std::move(binding)) {}
  evidence::Registry registry_;
  const evidence::Verifier* verifier_;
  TimePoint at_;
  evidence::Binding binding_;
};

}  // namespace coffer::cli
