#include "fleet/trust/token_trust.h"

#include <algorithm>

#include "base/printable.h"
#include "evidence/tee.h"
#include "fleet/attested_key.h"

namespace coffer::fleet {
namespace {

using appraisal::Tier;
using codec::json::Object;

constexpr std::string_view simulated_prefix = "simulated:";

std::unexpected<Error> not_attested(std::string_view who, std::string_view why) {
  return fail(FleetError::not_attested, std::string{who} + " is not attested: " + std::string{why});
}

// "none" says nothing at all, so it stands for the whole.
Tier worse(Tier a, Tier b) {
  if (a == Tier::none || b == Tier::none) return Tier::none;
  return std::max(a, b);
}

struct Submodule {
  std::string tee;  // "snp", or "simulated:snp" where it chains to a simulator's root
  bool is_cpu = false;
};

std::optional<Submodule> read_evidence(const codec::json::Value* submodule) {
  const auto* evidence = submodule == nullptr ? nullptr : submodule->find("ear.veraison.annotated-evidence");
  if (evidence == nullptr) return std::nullopt;
  for (const auto kind : evidence::all_tee_kinds()) {
    const std::string name{evidence::wire_name(kind)};
    if (evidence->find(name) == nullptr) continue;
    const bool simulated = evidence->find("simulated_root") != nullptr;
    return Submodule{.tee = simulated ? std::string{simulated_prefix} + name : name,
                     .is_cpu = evidence::device_class(kind) == "cpu"};
  }
  return std::nullopt;
}

struct Appraised {
  std::string tee;                // the machine's own
  std::vector<std::string> all;   // with its devices'
  Tier status = Tier::affirming;  // the worst: a worker is as good as its weakest device
};

Result<Appraised> read_appraisal(const Object& claims, std::string_view who) {
  const auto results = appraisal::read_submodules(claims);
  if (!results) return not_attested(who, results.error().message);
  Appraised out;
  const auto* submodules = claims.find("submods");
  for (const auto& each : *results) {
    auto evidence = read_evidence(submodules == nullptr ? nullptr : submodules->find(each.name));
    if (!evidence) return not_attested(who, "its token does not say of which TEE \"" + each.name + "\" is");
    if (evidence->is_cpu && out.tee.empty()) out.tee = evidence->tee;
    out.all.push_back(std::move(evidence->tee));
    out.status = worse(out.status, each.status);
  }
  if (out.tee.empty()) return not_attested(who, "its token names no TEE of a machine");
  return out;
}

}  // namespace

Result<crypto::PublicKey> Standing::key() const {
  const auto& jwk = token->response_key();
  if (!jwk) return fail(jwk.error());
  return jwk->key;
}

TokenTrust::TokenTrust(TokenTrustOptions options, std::shared_ptr<appraisal::TokenVerifier> verifier)
    : options_(std::move(options)), verifier_(std::move(verifier)) {}

Result<TokenTrust> TokenTrust::create(TokenTrustOptions options) {
  for (const std::string_view name : options.allow_tees) {
    const bool simulated = name.starts_with(simulated_prefix);
    const auto kind = evidence::parse_tee_kind(simulated ? name.substr(simulated_prefix.size()) : name);
    if (!kind) return fail(FleetError::bad_member, "TEE \"" + std::string{name} + "\": " + kind.error().message);
  }
  auto verifier = TRY(appraisal::TokenVerifier::create(options.tokens));
  return TokenTrust{std::move(options), std::move(verifier)};
}

Result<> TokenTrust::check_tee(const std::string& tee) const {
  const auto kind = evidence::parse_tee_kind(tee);
  const bool proves = kind && !evidence::is_sample(*kind);
  if (proves || std::ranges::find(options_.allow_tees, tee) != options_.allow_tees.end()) return {};
  return fail(FleetError::untrusted_tee,
              "TEE \"" + tee + "\" proves nothing and is believed only where it is allowed by name");
}

Result<> TokenTrust::check_status(std::string_view tee, Tier status) const {
  if (status != Tier::none && status <= options_.accepted) return {};
  return fail(FleetError::not_affirming, "the evidence of TEE \"" + std::string{tee} + "\" was appraised \"" +
                                             std::string{appraisal::name_of(status)} + "\"; expected \"" +
                                             std::string{appraisal::name_of(options_.accepted)} + "\" or better");
}

Result<> TokenTrust::check_claims(const Object& claims, std::string_view who) const {
  if (options_.claims.empty()) return {};
  const codec::json::Value all{claims};
  for (const auto& [pointer, expected] : options_.claims) {
    const auto* found = all.at_pointer(pointer);
    const auto* text = found == nullptr ? nullptr : found->if_string();
    const auto shown = found == nullptr ? "nothing" : text != nullptr ? *text : codec::json::serialize(*found);
    if (found != nullptr && shown == expected) continue;
    return fail(FleetError::wrong_claim, "the token of " + std::string{who} + " has \"" + printable(shown, 128) +
                                             "\" at " + pointer + "; expected \"" + expected + "\"");
  }
  return {};
}

Result<Standing> TokenTrust::verify(std::string_view text, std::string_view who, TimePoint now) const {
  const auto token = verifier_->verify(text, now);
  if (!token) return not_attested(who, token.error().message);
  auto appraised = TRY(read_appraisal((*token)->claims(), who));
  for (const auto& tee : appraised.all) TRY(check_tee(tee));
  TRY(check_status(appraised.tee, appraised.status));
  TRY(check_claims((*token)->claims(), who));
  Standing standing{.tee = std::move(appraised.tee),
                    .status = appraised.status,
                    .token_expires = (*token)->expires(),
                    .token_digest = digest_of_text(text),
                    .token = *token};
  if (const auto key = standing.key(); !key) return not_attested(who, key.error().message);
  return standing;
}

}  // namespace coffer::fleet
