// What verifiers and attesters are made with. One set of options serves every TEE; each leaf takes what concerns it.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "codec/json.h"
#include "crypto/x509.h"
#include "evidence/collateral.h"
#include "evidence/tee.h"

namespace coffer::evidence {

// A TEE as a user names it: "snp", "simulated:snp", "sample".
struct TeeChoice {
  TeeKind kind;
  bool simulated = false;
  friend bool operator==(const TeeChoice&, const TeeChoice&) = default;
};
// unknown_tee; also for "simulated:sample", which would be a simulation of nothing.
Result<TeeChoice> parse_tee_choice(std::string_view name);
std::string to_text(const TeeChoice& choice);

struct VerifierOptions {
  // Endorsements beyond the evidence. Null: none can be had, and what needs one is refused with collateral_missing.
  std::shared_ptr<Collateral> collateral{};
  // The attestation service's `verifier_config` (trustee.md 7): {"snp_verifier":{...},"dcap_verifier":{...}, ...}. Each
  // leaf reads its own member; unknown keys inside are a warning that names them, values that do not fit an error.
  codec::json::Object config{};
  // The simulator's roots, and the TEEs for which they are taken as trusted beside the vendor's. See simulated_roots().
  std::vector<crypto::Certificate> simulator_roots{};
  std::vector<TeeKind> simulated_tees{};

  bool simulated(TeeKind kind) const;
  // This leaf's simulator roots: all where `kind` was chosen, none otherwise.
  std::span<const crypto::Certificate> simulated_roots(TeeKind kind) const;
};

// Every simulator root says so in its subject.
inline constexpr std::string_view simulator_mark = "SIMULATED, NOT SECURE";
// simulated_refused for a certificate whose subject lacks the mark: nobody slips another root in by this door.
Result<std::vector<crypto::Certificate>> parse_simulator_roots(std::string_view pem);
// The subject of the chain's last certificate where it bears the mark.
std::optional<std::string> simulated_subject(const crypto::Certificate& root);

struct AttesterOptions {
  std::filesystem::path root = "/";  // where devices and sysfs are looked for
  // Digest that the sample attester states as its own init-data; real TEEs take it from hardware.
  std::optional<Bytes> sample_init_data_digest{};
  // Keys and roots of the simulator (`coffer simulate init`), for TEEs chosen as "simulated:<tee>".
  std::filesystem::path simulator_directory{};
  std::vector<TeeKind> simulated_tees{};
  // The agent's event log of a simulated machine, which ends with the program. Empty: such a machine logs nothing.
  std::function<Bytes()> simulated_event_log{};
  // Settings of leaves in a guest, each its own member: {"external_attester": {...}}.
  codec::json::Object config{};
};

}  // namespace coffer::evidence
