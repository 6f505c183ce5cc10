#include <chrono>

#include "codec/base64.h"
#include "evidence/config_section.h"
#include "evidence/nitro/chain_cache.h"
#include "evidence/nitro/claims.h"
#include "evidence/nitro/nitro.h"

namespace coffer::evidence::nitro {

namespace json = codec::json;

namespace {

using namespace std::chrono_literals;

constexpr Duration clock_skew = 5min;
constexpr std::uint64_t default_max_age = 3600;
constexpr std::uint64_t longest_max_age = 10 * 365 * 86'400ULL;

struct Settings {
  bool allow_debug = false;
  Duration max_age{};
};

Result<Settings> read_settings(const json::Object& config) {
  auto section = TRY(ConfigSection::open(config, "nitro_verifier"));
  Settings settings;
  settings.allow_debug = TRY(section.flag("allow_debug", false));
  settings.max_age =
      std::chrono::seconds(TRY(section.number("max_age_seconds", 1, longest_max_age)).value_or(default_max_age));
  section.warn_of_unknown_keys();
  return settings;
}

// RFC 9052 section 4.4, over the bytes received.
Result<> check_signature(const Document& document, const crypto::PublicKey& key) {
  constexpr crypto::SignatureAlgorithm allowed[] = {crypto::SignatureAlgorithm::es384};
  const auto verified = codec::cose::verify(document.message, key, allowed);
  if (verified) return {};
  return fail(NitroError::bad_signature, "the document's signature by its leaf: " + verified.error().message);
}

Result<> check_age(const Payload& payload, Duration max_age, TimePoint now) {
  const auto made = payload.timestamp();
  const auto text = "the document was made at " + format_rfc3339(made) + ", ";
  if (made > now + clock_skew) {
    return fail(NitroError::from_the_future, text + "after " + format_rfc3339(now) + ", the time of verification");
  }
  if (now - made <= max_age) return {};
  return fail(NitroError::stale, text + "longer before " + format_rfc3339(now) + ", the time of verification, than " +
                                     std::to_string(max_age / 1s) + " s");
}

std::string hex_or_none(const std::optional<Bytes>& bytes) {
  return bytes ? codec::hex_encode(*bytes) : "none";
}

// The field that holds the report data; of what the document states, where the caller binds none.
Result<std::optional<Bytes>> check_report_data(const Payload& payload, const Binding& binding) {
  if (!binding.report_data) return payload.nonce ? payload.nonce : payload.user_data;
  for (const auto* field : {&payload.nonce, &payload.user_data}) {
    if (*field && **field == *binding.report_data) return *field;
  }
  return fail(EvidenceError::report_data_mismatch,
              "nonce or user_data of the document is expected to be " + codec::hex_encode(*binding.report_data) +
                  ", found nonce " + hex_or_none(payload.nonce) + " and user_data " + hex_or_none(payload.user_data));
}

Result<std::optional<Bytes>> check_init_data(const Payload& payload, const Binding& binding) {
  const auto found = payload.pcrs.find(init_data_pcr);
  const auto stated = found == payload.pcrs.end() ? std::nullopt : std::optional{found->second};
  if (!binding.init_data_digest) return stated;
  const auto expected = init_data_pcr_value(*binding.init_data_digest);
  if (stated == expected) return stated;
  return fail(EvidenceError::init_data_mismatch, "PCR16 is expected to hold the init-data's extension " +
                                                     codec::hex_encode(expected) + ", found " + hex_or_none(stated));
}

Result<Document> read_document(const json::Value& evidence) {
  const auto* object = evidence.if_object();
  if (object == nullptr) {
    return fail(EvidenceError::malformed,
                "Nitro evidence is expected to be an object, found " + std::string{evidence.type_name()});
  }
  const auto text = json::string_member(*object, "document", "Nitro evidence");
  if (!text) return fail(EvidenceError::malformed, text.error().message);
  // Generous in the alphabet: documents travel in both.
  const auto bytes = codec::base64_decode_lenient(*text);
  if (!bytes) return fail(EvidenceError::malformed, "Nitro evidence.document: " + bytes.error().message);
  return parse_document(*bytes);
}

class NitroVerifier final : public Verifier {
 public:
  NitroVerifier(Settings settings, std::span<const crypto::Certificate> simulated_roots)
      : settings_(settings), simulated_roots_(simulated_roots.begin(), simulated_roots.end()) {}
  TeeKind kind() const override { return TeeKind::nitro; }

  // The document's own signature comes first although nothing vouches for its key yet: a document changed on the way
  // costs one signature to refuse, not five.
  Result<std::vector<Claims>> verify(const json::Value& evidence, const Binding& binding,
                                     TimePoint now) const override {
    const auto document = TRY(read_document(evidence));
    const auto& payload = document.payload;
    TRY(check_signature(document, TRY(leaf_key(payload))));
    const auto leaf = TRY(chains_.verify(payload, simulated_roots_, now));
    TRY(check_age(payload, settings_.max_age, now));
    if (payload.debug() && !settings_.allow_debug) {
      return fail(NitroError::debug_mode,
                  "PCR0 is expected to be the image's measurement, found all zero: the enclave "
                  "runs in debug mode, which nitro_verifier.allow_debug does not allow");
    }
    const auto report_data = TRY(check_report_data(payload, binding));
    const auto init_data = TRY(check_init_data(payload, binding));
    Claims out{claims_of(payload)};
    if (report_data) out.report_data = codec::hex_encode(*report_data);
    if (init_data) out.init_data = codec::hex_encode(*init_data);
    out.simulated_root = leaf.simulated_root;
    return std::vector{std::move(out)};
  }

  Result<json::Object> inspect(const json::Value& evidence) const override {
    return describe(TRY(read_document(evidence)));
  }

  Result<json::Value> from_raw(ByteView raw, std::span<const Bytes>) const override {
    TRY(parse_document(raw));
    return json::Value{json::Object{{"document", codec::base64_encode(raw)}}};
  }

 private:
  Settings settings_;
  std::vector<crypto::Certificate> simulated_roots_;
  mutable ChainCache chains_;
};

}  // namespace

Result<std::unique_ptr<Verifier>> make_verifier(TeeKind, const VerifierOptions& options) {
  return std::make_unique<NitroVerifier>(TRY(read_settings(options.config)), options.simulated_roots(TeeKind::nitro));
}

}  // namespace coffer::evidence::nitro
