#include "codec/base64.h"
#include "evidence/cca/cca.h"
#include "evidence/cca/token.h"
#include "evidence/init_data.h"

namespace coffer::evidence::cca {

namespace json = codec::json;

namespace {

class CcaAttester final : public Attester {
 public:
  explicit CcaAttester(device::ConfigfsTsm device) : device_(std::move(device)) {}
  TeeKind kind() const override { return TeeKind::cca; }

  Result<json::Value> attest(ByteView report_data) const override { return evidence_of(TRY(token_for(report_data))); }

  // The host sets the personalization value when it makes the realm: here it can only be compared.
  Result<> bind_init_data(ByteView digest) const override {
    const auto token = TRY(parse_token(TRY(token_for({}))));
    const auto& stated = token.realm.personalization_value;
    const auto expected = fit_digest(digest, stated.size());
    if (stated == expected) return {};
    return fail(EvidenceError::init_data_mismatch,
                "the realm's personalization value is expected to be the init-data "
                "digest " +
                    codec::hex_encode(expected) + ", found " + codec::hex_encode(stated));
  }

 private:
  Result<Bytes> token_for(ByteView report_data) const {
    if (report_data.size() > challenge_size) {
      return fail(EvidenceError::malformed,
                  "report data is expected to have at most 64 bytes, found " + std::to_string(report_data.size()));
    }
    const auto challenge = fit_digest(report_data, challenge_size);
    return TRY(device_.report({.provider = "arm_cca_guest", .inblob = challenge}))
    .outblob;
  }
  device::ConfigfsTsm device_;
};

}  // namespace

std::unique_ptr<Attester> make_attester_over(device::ConfigfsTsm device) {
  return std::make_unique<CcaAttester>(std::move(device));
}

Result<std::unique_ptr<Attester>> make_attester(TeeKind, const AttesterOptions& options) {
  return make_attester_over(device::ConfigfsTsm{options.root});
}

}  // namespace coffer::evidence::cca
