#include "evidence/sgx/attest.h"

#include "codec/base64.h"
#include "evidence/dcap/quote.h"
#include "evidence/init_data.h"
#include "evidence/sgx/sgx.h"

namespace coffer::evidence::sgx {

namespace {

constexpr std::size_t report_data_size = 64;

Result<dcap::Quote> parsed(ByteView bytes) {
  const auto quote = dcap::parse_quote(bytes);
  if (quote && quote->sgx() != nullptr) return *quote;
  return fail(EvidenceError::device_failed,
              "the answer is no quote of an enclave: " + (quote ? "it is a TD's" : quote.error().message));
}

class SgxAttester final : public Attester {
 public:
  explicit SgxAttester(std::unique_ptr<QuoteDevice> device) : device_(std::move(device)) {}
  TeeKind kind() const override { return TeeKind::sgx; }

  Result<codec::json::Value> attest(ByteView report_data) const override {
    const auto quote = TRY(quote_over(report_data));
    return codec::json::Value{codec::json::Object{{"quote", codec::base64_encode(quote)}}};
  }

  Result<> bind_init_data(ByteView digest) const override {
    const auto bytes = TRY(quote_over({}));
    const auto stated = TRY(parsed(bytes))
    .sgx()->config_id;
    const auto expected = fit_digest(digest, stated.size());
    if (equal(expected, stated)) return {};
    return fail(EvidenceError::init_data_mismatch, "the enclave runs with CONFIGID " + codec::hex_encode(stated) +
                                                       ", the init-data's digest is " + codec::hex_encode(expected));
  }

 private:
  Result<Bytes> quote_over(ByteView report_data) const {
    if (report_data.size() > report_data_size) {
      return fail(EvidenceError::bad_runtime_data,
                  "report data has at most 64 bytes, not " + std::to_string(report_data.size()));
    }
    const auto padded = fit_digest(report_data, report_data_size);
    auto quote = TRY(device_->quote(padded));
    const auto stated = TRY(parsed(quote))
    .sgx()->report_data;
    if (equal(stated, padded)) return quote;
    return fail(EvidenceError::device_failed, "the quote is expected to be over " + codec::hex_encode(padded) +
                                                  ", found " + codec::hex_encode(stated));
  }

  std::unique_ptr<QuoteDevice> device_;
};

}  // namespace

std::unique_ptr<Attester> make_attester_on(std::unique_ptr<QuoteDevice> device) {
  return std::make_unique<SgxAttester>(std::move(device));
}

Result<std::unique_ptr<Attester>> make_attester(TeeKind, const AttesterOptions& options) {
  return make_attester_on(system_quote_device(options.root));
}

}  // namespace coffer::evidence::sgx
