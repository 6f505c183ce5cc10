#include <cerrno>

#include "base/byte_reader.h"
#include "evidence/snp/sev_guest.h"

namespace coffer::evidence::snp {

namespace {

// MSG_REPORT_RSP (56860 section 7.3): status, size, reserved, report. The kernel hands out the report alone.
Bytes as_response(ByteView report) {
  return ByteWriter{}.u32_le(0).u32_le(static_cast<std::uint32_t>(report.size())).zeros(24).bytes(report).take();
}

class TsmDevice final : public SevGuestDevice {
 public:
  explicit TsmDevice(device::ConfigfsTsm tsm) : tsm_(std::move(tsm)) {}

  Answer get_report(const Field<64>& report_data, std::uint32_t, std::uint32_t table_size) override {
    auto report = tsm_.report({.provider = "sev_guest", .inblob = report_data, .wants_auxblob = table_size > 0});
    if (!report) return {.error = report.error().code == EvidenceError::no_device ? ENODEV : EIO};
    return {.response = as_response(report->outblob), .certificate_table = std::move(report->auxblob)};
  }
  void pause() override {}

 private:
  device::ConfigfsTsm tsm_;
};

}  // namespace

std::unique_ptr<SevGuestDevice> tsm_sev_guest(device::ConfigfsTsm tsm) {
  return std::make_unique<TsmDevice>(std::move(tsm));
}

}  // namespace coffer::evidence::snp
