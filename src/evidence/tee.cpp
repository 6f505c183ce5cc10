#include "evidence/tee.h"

#include <algorithm>
#include <array>
#include <utility>

namespace coffer::evidence {

namespace json = codec::json;

namespace {

struct TeeRow {
  TeeKind kind;
  std::string_view wire_name;
  std::string_view device_class;
};

// trustee.md 1.3; classes from section 7. "nitro", "psa", "keystone" and
// "external" are ours: upstream has none of them.
constexpr std::array tees{
    TeeRow{TeeKind::az_snp_vtpm, "az-snp-vtpm", "cpu"},
    TeeRow{TeeKind::az_tdx_vtpm, "az-tdx-vtpm", "cpu"},
    TeeRow{TeeKind::nvidia, "nvidia", "gpu"},
    TeeRow{TeeKind::sgx, "sgx", "cpu"},
    TeeRow{TeeKind::snp, "snp", "cpu"},
    TeeRow{TeeKind::tdx, "tdx", "cpu"},
    TeeRow{TeeKind::cca, "cca", "cpu"},
    TeeRow{TeeKind::csv, "csv", "cpu"},
    TeeRow{TeeKind::se, "se", "cpu"},
    TeeRow{TeeKind::hygondcu, "hygondcu", "dcu"},
    TeeRow{TeeKind::nvidia_dpu, "nvidia-dpu", "dpu"},
    TeeRow{TeeKind::tpm, "tpm", "cpu"},
    TeeRow{TeeKind::nitro, "nitro", "cpu"},
    TeeRow{TeeKind::psa, "psa", "cpu"},
    TeeRow{TeeKind::keystone, "keystone", "cpu"},
    TeeRow{TeeKind::external, "external", "cpu"},
    TeeRow{TeeKind::sample, "sample", "cpu"},
    TeeRow{TeeKind::sampledevice, "sampledevice", "gpu"},
};

constexpr auto kinds = [] {
  std::array<TeeKind, tees.size()> out{};
  std::ranges::transform(tees, out.begin(), &TeeRow::kind);
  return out;
}();

const TeeRow& row_of(TeeKind kind) {
  return *std::ranges::find(tees, kind, &TeeRow::kind);
}

// Clients before 2025-09 wrote these without hyphens and without a new protocol version.
constexpr std::array older_spellings{std::pair{std::string_view{"azsnpvtpm"}, TeeKind::az_snp_vtpm},
                                     std::pair{std::string_view{"aztdxvtpm"}, TeeKind::az_tdx_vtpm}};

std::string known_names() {
  std::string out;
  for (const auto& tee : tees) out += (out.empty() ? "" : ", ") + std::string{tee.wire_name};
  return out;
}

}  // namespace

std::string_view code_name(EvidenceError code) {
  switch (code) {
    case EvidenceError::unknown_tee: return "evidence.unknown_tee";
    case EvidenceError::tee_not_allowed: return "evidence.tee_not_allowed";
    case EvidenceError::not_supported: return "evidence.not_supported";
    case EvidenceError::malformed: return "evidence.malformed";
    case EvidenceError::report_data_mismatch: return "evidence.report_data_mismatch";
    case EvidenceError::init_data_mismatch: return "evidence.init_data_mismatch";
    case EvidenceError::bad_signature: return "evidence.bad_signature";
    case EvidenceError::no_device: return "evidence.no_device";
    case EvidenceError::bad_runtime_data: return "evidence.bad_runtime_data";
    case EvidenceError::bad_init_data: return "evidence.bad_init_data";
    case EvidenceError::unsupported_hash: return "evidence.unsupported_hash";
    case EvidenceError::collateral_missing: return "evidence.collateral_missing";
    case EvidenceError::simulated_refused: return "evidence.simulated_refused";
    case EvidenceError::device_failed: return "evidence.device_failed";
    case EvidenceError::bad_config: return "evidence.bad_config";
  }
  return "evidence.unknown";
}

std::span<const TeeKind> all_tee_kinds() {
  return kinds;
}

std::string_view wire_name(TeeKind kind) {
  return row_of(kind).wire_name;
}

Result<TeeKind> parse_tee_kind(std::string_view name) {
  if (const auto row = std::ranges::find(tees, name, &TeeRow::wire_name); row != tees.end()) return row->kind;
  for (const auto& [spelling, kind] : older_spellings) {
    if (name == spelling) return kind;
  }
  return fail(EvidenceError::unknown_tee,
              "\"" + std::string{name.substr(0, 64)} + "\" is no TEE; known are " + known_names());
}

std::string_view device_class(TeeKind kind) {
  return row_of(kind).device_class;
}

bool is_sample(TeeKind kind) {
  return kind == TeeKind::sample || kind == TeeKind::sampledevice;
}

namespace {

std::unexpected<Error> without(TeeKind kind, std::string_view what) {
  return fail(EvidenceError::not_supported, "TEE \"" + std::string{wire_name(kind)} + "\" " + std::string{what});
}

}  // namespace

Result<json::Object> Verifier::inspect(const json::Value&) const {
  return without(kind(), "has no reading of its evidence in this build");
}

Result<json::Value> Verifier::from_raw(ByteView, std::span<const Bytes>) const {
  return without(kind(), "has no raw form of its evidence; give the evidence document in JSON");
}

Result<json::Value> Verifier::with_certificates(const json::Value&, std::span<const Bytes>) const {
  return without(kind(), "has no room for certificates in its evidence; name endorsements otherwise");
}

Result<> Attester::bind_init_data(ByteView) const {
  return without(kind(), "has no field for init-data");
}

std::optional<MeasurementRegister> Attester::runtime_register(unsigned) const {
  return std::nullopt;
}

Result<> Attester::extend_runtime_measurement(unsigned, ByteView) const {
  return without(kind(), "has no register that a guest can extend");
}

Result<Bytes> Attester::read_runtime_measurement(unsigned) const {
  return without(kind(), "has no register that a guest can read back");
}

}  // namespace coffer::evidence
