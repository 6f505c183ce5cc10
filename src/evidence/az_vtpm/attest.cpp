#include <mutex>
#include <thread>

#include "codec/base64.h"
#include "evidence/az_vtpm/az_vtpm.h"
#include "evidence/az_vtpm/evidence.h"
#include "evidence/az_vtpm/hcl_report.h"
#include "evidence/init_data.h"
#include "evidence/tpm/quote.h"
#include "evidence/tpm/registers.h"
#include "evidence/tpm/tss_device.h"

namespace coffer::evidence::az_vtpm {

namespace {

class AzAttester final : public Attester {
 public:
  AzAttester(TeeKind kind, AttesterParts parts) : kind_(kind), parts_(std::move(parts)) {}
  TeeKind kind() const override { return kind_; }

  Result<codec::json::Value> attest(ByteView report_data) const override {
    const auto tpm = TRY(this->tpm());
    // The NV index is one for the whole machine: two attestations at once would get each other's reports.
    const std::lock_guard lock{attesting_};
    auto report = TRY(fresh_report(*tpm, report_data));
    auto quoted = TRY(tpm::quote_consistently(*tpm, report_data));
    const auto signature = TRY(rsa_signature(quoted.answer.signature));
    auto endorsement = TRY(endorse(report));
    return to_json(kind_, {.version = 2,
                           .signature = signature,
                           .message = std::move(quoted.answer.message),
                           .pcrs = std::move(quoted.pcrs),
                           .hcl_report = std::move(report),
                           .endorsement = std::move(endorsement)});
  }

  Result<> bind_init_data(ByteView digest) const override { return tpm::bind_init_data(*TRY(tpm()), digest); }
  std::optional<MeasurementRegister> runtime_register(unsigned pcr_index) const override {
    return tpm::runtime_register(pcr_index);
  }
  Result<> extend_runtime_measurement(unsigned pcr_index, ByteView digest) const override {
    return tpm::extend_runtime_measurement(*TRY(tpm()), pcr_index, digest);
  }
  Result<Bytes> read_runtime_measurement(unsigned pcr_index) const override {
    return tpm::read_runtime_measurement(*TRY(tpm()), pcr_index);
  }

 private:
  Result<std::shared_ptr<tpm::TpmDevice>> tpm() const {
    const std::lock_guard lock{opening_};
    if (tpm_ == nullptr) tpm_ = TRY(parts_.open_tpm());
    return tpm_;
  }

  // The paravisor renews the report after the write, and says nowhere when it has done so.
  Result<Bytes> fresh_report(tpm::TpmDevice& tpm, ByteView report_data) const {
    TRY(tpm.write_nv(report_data_index, fit_digest(report_data, report_data_size)));
    parts_.pause(renewal_time);
    return tpm.read_nv(report_index);
  }

  static Result<Bytes> rsa_signature(ByteView tpmt_signature) {
    const auto signature = TRY(tpm::parse_signature(tpmt_signature));
    if (signature.scheme == crypto::SignatureScheme::rsa_pkcs1) return signature.rsa;
    return fail(EvidenceError::device_failed, "the vTPM's attestation key does not sign by RSASSA");
  }

  Result<Bytes> endorse(ByteView report) const {
    if (kind_ == TeeKind::az_snp_vtpm) return parts_.metadata->vcek();
    const auto parsed = TRY(HclReport::parse(report));
    return parts_.metadata->td_quote(parsed.hardware_report.first(td_report_size));
  }

  TeeKind kind_;
  AttesterParts parts_;
  mutable std::mutex attesting_;
  mutable std::mutex opening_;
  mutable std::shared_ptr<tpm::TpmDevice> tpm_;
};

}  // namespace

std::unique_ptr<Attester> make_attester_over(TeeKind kind, AttesterParts parts) {
  return std::make_unique<AzAttester>(kind, std::move(parts));
}

Result<std::unique_ptr<Attester>> make_attester(TeeKind kind, const AttesterOptions& options) {
  const auto root = options.root;
  const auto open = [root]() -> Result<std::shared_ptr<tpm::TpmDevice>> {
    auto tss = TRY(tpm::TssOptions::from_environment(root));
    tss.ak_handle = attestation_key_handle;
    tss.ak_explicit = true;
    tss.create_ak = false;
    return tpm::make_tss_device(std::move(tss));
  };
  const auto pause = [](std::chrono::milliseconds time) { std::this_thread::sleep_for(time); };
  return make_attester_over(kind, {open, make_metadata("http://169.254.169.254"), pause});
}

}  // namespace coffer::evidence::az_vtpm
