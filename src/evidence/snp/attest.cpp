#include "codec/base64.h"
#include "evidence/init_data.h"
#include "evidence/snp/sev_guest.h"
#include "evidence/snp/snp.h"

namespace coffer::evidence::snp {

namespace {

Result<Field<64>> to_field(ByteView report_data) {
  Field<64> out{};
  if (report_data.size() > out.size()) {
    return fail(EvidenceError::bad_runtime_data,
                "report data has at most 64 bytes, not " + std::to_string(report_data.size()));
  }
  std::ranges::copy(report_data, out.begin());
  return out;
}

class SnpAttester final : public Attester {
 public:
  explicit SnpAttester(std::unique_ptr<SevGuestDevice> device) : device_(std::move(device)) {}
  TeeKind kind() const override { return TeeKind::snp; }

  Result<codec::json::Value> attest(ByteView report_data) const override {
    return TRY(request_evidence(*device_, TRY(to_field(report_data))))
    .to_json();
  }

  Result<> bind_init_data(ByteView digest) const override {
    const auto evidence = TRY(request_evidence(*device_, {}));
    const auto expected = fit_digest(digest, evidence.report.host_data.size());
    if (equal(expected, evidence.report.host_data)) return {};
    return fail(EvidenceError::init_data_mismatch, "the machine was launched with host data " +
                                                       codec::hex_encode(evidence.report.host_data) +
                                                       ", the init-data's digest is " + codec::hex_encode(expected));
  }

 private:
  std::unique_ptr<SevGuestDevice> device_;
};

}  // namespace

Result<std::unique_ptr<Attester>> make_attester_on(std::unique_ptr<SevGuestDevice> device) {
  return std::make_unique<SnpAttester>(std::move(device));
}

Result<std::unique_ptr<Attester>> make_attester(TeeKind, const AttesterOptions& options) {
  return make_attester_on(system_sev_guest(options.root));
}

}  // namespace coffer::evidence::snp
