// Entity Attestation Results: AR4SI tiers and the token's claims, as upstream's broker makes them (trustee.md 3).
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "codec/json.h"
#include "evidence/tee.h"

namespace coffer::appraisal {

// In order of badness; "none" is the lowest and no failure.
enum class Tier { none, affirming, warning, contraindicated };
std::string_view name_of(Tier tier);  // "affirming", ...
std::optional<Tier> parse_tier(std::string_view name);
// -1..1 none, -32..31 affirming, -96..95 warning, else contraindicated; the innermost band wins.
Tier tier_of(std::int8_t value);

// The eight claims of AR4SI, each set or not.
class TrustVector {
 public:
  static constexpr std::array<std::string_view, 8> names{"instance-identity", "configuration", "executables",
                                                         "file-system",       "hardware",      "runtime-opaque",
                                                         "storage-opaque",    "sourced-data"};

  // All eight at 0: what an undefined `trust_claims` rule means.
  static TrustVector zeros();
  // An object from name to integer with at least one member; unknown names, other types and values outside
  // -128..127 are bad_trust_claims (upstream crashes there).
  static Result<TrustVector> parse(const codec::json::Value& value);

  std::optional<std::int8_t> get(std::string_view name) const;
  Result<> set(std::string_view name, std::int8_t value);
  Tier status() const;                  // the worst over the set claims
  codec::json::Object to_json() const;  // set members only
  friend bool operator==(const TrustVector&, const TrustVector&) = default;

 private:
  std::array<std::optional<std::int8_t>, 8> values_{};
};

// One element of a policy's `extensions`: copied into the appraisal under `name`.
struct Extension {
  std::string name;
  std::int32_t key = 0;
  codec::json::Value value;
};
Result<std::vector<Extension>> parse_extensions(const codec::json::Value& value);

struct Submodule {
  std::string name;  // "cpu0", "gpu0", ...
  TrustVector vector;
  std::string policy_id;                   // the bare first id, "default"
  codec::json::Object annotated_evidence;  // the policy's input too
  std::vector<Extension> extensions{};
};

// "ear.veraison.annotated-evidence": {"<tee>": claims, report_data?, init_data?, init_data_claims?,
// runtime_data_claims?, simulated_root?}. The two pairs appear where the verifier returned init_data or report_data,
// and the last, which is ours, where the evidence chains to a simulator's root: a policy can tell.
struct AnnotatedEvidence {
  evidence::TeeKind tee;
  evidence::Claims claims;
  codec::json::Value init_data_claims{};  // null where the guest sent none
  codec::json::Value runtime_data_claims{};
};
codec::json::Object annotate(AnnotatedEvidence parts);

struct EarOptions {
  std::string issuer = "CoCo-Attestation-Service";
  std::string developer = "https://confidentialcontainers.org";
  std::string build = "attestation-service 0.1.0";
  std::string profile = "tag:github.com,2024:confidential-containers/Trustee";
  Duration lifetime = std::chrono::minutes{5};
  // False drops additional-evidence from the token's runtime_data_claims (many devices make tokens large).
  bool verbose_token = true;
};

// The claims of a token: eat_profile, iat, ear.verifier-id, submods, exp, iss; and, where a sample TEE took part, our
// additive claim "coffer.sample": true; where simulated evidence did, "coffer.simulated": [subject of the root, ...].
codec::json::Object ear_claims(const std::vector<Submodule>& submodules, const EarOptions& options, TimePoint now);

// What a relying party reads back from claims, ours or another issuer's.
struct SubmoduleResult {
  std::string name;
  Tier status = Tier::none;
  TrustVector vector{};
  std::string policy_id{};
};
Result<std::vector<SubmoduleResult>> read_submodules(const codec::json::Object& claims);

}  // namespace coffer::appraisal
