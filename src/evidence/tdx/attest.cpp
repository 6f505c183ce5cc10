#include "evidence/tdx/attest.h"

#include <fstream>

#include "codec/base64.h"
#include "evidence/dcap/quote.h"
#include "evidence/device/configfs_tsm.h"
#include "evidence/eventlog/agent_event_log.h"
#include "evidence/init_data.h"
#include "evidence/tdx/tdx.h"

namespace coffer::evidence::tdx {

namespace {

constexpr std::string_view provider = "tdx_guest";
constexpr std::size_t report_data_size = 64;

class TdxAttester final : public Attester {
 public:
  TdxAttester(std::filesystem::path root, device::TsmFilesystem& files)
      : root_(std::move(root)), files_(files), tsm_(root_, files) {}
  TeeKind kind() const override { return TeeKind::tdx; }

  Result<codec::json::Value> attest(ByteView report_data) const override {
    const auto held = TRY(eventlog::hold_agent_log(eventlog::AgentLogPaths::from_environment(root_)));
    auto quote = TRY(quote_over(report_data));
    return to_json(Evidence { std::move(quote), TRY(eventlog::read_combined_log(root_)) });
  }

  Result<> bind_init_data(ByteView digest) const override {
    const auto bytes = TRY(quote_over({}));
    const auto quote = TRY(parsed(bytes));
    const auto stated = quote.td()->mr_config_id;
    const auto expected = fit_digest(digest, stated.size());
    if (equal(expected, stated)) return {};
    return fail(EvidenceError::init_data_mismatch, "the TD was launched with MRCONFIGID " + codec::hex_encode(stated) +
                                                       ", the init-data's digest is " + codec::hex_encode(expected));
  }

  std::optional<MeasurementRegister> runtime_register(unsigned pcr_index) const override {
    return MeasurementRegister{log_index(pcr_index), crypto::HashAlgorithm::sha384};
  }

  Result<> extend_runtime_measurement(unsigned pcr_index, ByteView digest) const override {
    const auto file = measurement_file(pcr_index);
    const auto answer = files_.write(file, digest);
    return check(answer, "extend", file);
  }

  Result<Bytes> read_runtime_measurement(unsigned pcr_index) const override {
    constexpr std::size_t limit = 4096;
    const auto file = measurement_file(pcr_index);
    auto answer = files_.read(file, limit);
    TRY(check(answer, "read", file));
    const auto size = crypto::digest_size(crypto::HashAlgorithm::sha384);
    if (answer.content.size() == size) return std::move(answer.content);
    return fail(EvidenceError::device_failed, file.string() + " is expected to hold " + std::to_string(size) +
                                                  " bytes, found " + std::to_string(answer.content.size()));
  }

 private:
  // Documentation/ABI/testing/sysfs-devices-virtual-misc-tdx_guest, from Linux 6.16 on.
  std::filesystem::path measurement_file(unsigned pcr_index) const {
    return root_ / "sys/devices/virtual/misc/tdx_guest/measurements" /
           ("rtmr" + std::to_string(log_index(pcr_index) - 1) + ":sha384");
  }

  static Result<> check(const device::TsmFilesystem::Answer& answer, std::string_view what,
                        const std::filesystem::path& file) {
    using Outcome = device::TsmFilesystem::Outcome;
    if (answer.outcome == Outcome::done) return {};
    // Older kernels leave registers to a library of Intel's.
    const auto code = answer.outcome == Outcome::absent ? EvidenceError::not_supported : EvidenceError::device_failed;
    return fail(code, "cannot " + std::string{what} + " " + file.string() + ": " + answer.reason);
  }

  static Result<dcap::Quote> parsed(ByteView bytes) {
    const auto quote = dcap::parse_quote(bytes);
    if (quote && quote->td() != nullptr) return *quote;
    return fail(EvidenceError::device_failed,
                "the kernel answered with no quote of a TD: " + (quote ? "it is an enclave's" : quote.error().message));
  }

  Result<Bytes> quote_over(ByteView report_data) const {
    if (report_data.size() > report_data_size) {
      return fail(EvidenceError::bad_runtime_data,
                  "report data has at most 64 bytes, not " + std::to_string(report_data.size()));
    }
    const auto padded = fit_digest(report_data, report_data_size);
    auto quote = TRY(tsm_.report({.provider = provider, .inblob = padded}))
    .outblob;
    const auto stated = TRY(parsed(quote))
    .td()->report_data;
    if (equal(stated, padded)) return quote;
    return fail(EvidenceError::device_failed, "the quote is expected to be over " + codec::hex_encode(padded) +
                                                  ", found " + codec::hex_encode(stated));
  }

  std::filesystem::path root_;
  device::TsmFilesystem& files_;
  device::ConfigfsTsm tsm_;
};

}  // namespace

std::uint32_t log_index(unsigned pcr) {
  if (pcr == 1 || pcr == 7) return 1;
  if (pcr >= 2 && pcr <= 6) return 2;
  if (pcr >= 8 && pcr <= 15) return 3;
  return 4;
}

std::unique_ptr<Attester> make_attester_on(std::filesystem::path root, device::TsmFilesystem& files) {
  return std::make_unique<TdxAttester>(std::move(root), files);
}

Result<std::unique_ptr<Attester>> make_attester(TeeKind, const AttesterOptions& options) {
  return make_attester_on(options.root, device::system_tsm_filesystem());
}

}  // namespace coffer::evidence::tdx
