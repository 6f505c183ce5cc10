#include "evidence/snp/sev_guest.h"

#include <fcntl.h>
#include <linux/sev-guest.h>
#include <sys/ioctl.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <thread>

#include "base/byte_reader.h"
#include "base/file_descriptor.h"

namespace coffer::evidence::snp {

namespace {

constexpr std::uint32_t first_table_size = 16U << 10;
constexpr std::uint32_t max_table_size = 1U << 20;
constexpr unsigned max_attempts = 5;
constexpr std::size_t response_header = 32;  // MSG_REPORT_RSP: status, size, reserved (56860 section 7.3)

class SystemDevice final : public SevGuestDevice {
 public:
  explicit SystemDevice(const std::filesystem::path& root)
      : path_(root / "dev/sev-guest"), tsm_(tsm_sev_guest(device::ConfigfsTsm{root})) {}

  Answer get_report(const Field<64>& report_data, std::uint32_t vmpl, std::uint32_t table_size) override {
    const FileDescriptor device{::open(path_.c_str(), O_RDWR | O_CLOEXEC)};
    if (!device && errno == ENOENT) return tsm_->get_report(report_data, vmpl, table_size);
    if (!device) return {.error = errno};
    snp_ext_report_req extended{};
    std::memcpy(extended.data.user_data, report_data.data(), report_data.size());
    extended.data.vmpl = vmpl;
    Bytes table(table_size);
    extended.certs_address = reinterpret_cast<std::uint64_t>(table.data());
    extended.certs_len = table_size;
    snp_report_resp response{};
    snp_guest_request_ioctl request{};
    request.msg_version = 1;
    request.req_data =
        table_size == 0 ? reinterpret_cast<std::uint64_t>(&extended.data) : reinterpret_cast<std::uint64_t>(&extended);
    request.resp_data = reinterpret_cast<std::uint64_t>(&response);
    const auto code = table_size == 0 ? SNP_GET_REPORT : SNP_GET_EXT_REPORT;
    const int error = ::ioctl(device.get(), code, &request) == 0 ? 0 : errno;
    const auto* data = reinterpret_cast<const std::byte*>(response.data);
    return {error, request.exitinfo2, extended.certs_len, Bytes(data, data + sizeof response.data), std::move(table)};
  }
  void pause() override { std::this_thread::sleep_for(std::chrono::milliseconds{200}); }

 private:
  std::filesystem::path path_;
  std::unique_ptr<SevGuestDevice> tsm_;
};

enum class Step { done, again, without_certificates, failed };

std::uint64_t host_code(const SevGuestDevice::Answer& answer) {
  return answer.exit_info >> 32;
}

// What the host's code asks for: a larger table, or patience (56421 section 4.1.8).
Step next_step(const SevGuestDevice::Answer& answer, std::uint32_t& table_size) {
  if (answer.error == 0) return Step::done;
  if (host_code(answer) == SNP_GUEST_VMM_ERR_INVALID_LEN && answer.table_size > table_size &&
      answer.table_size <= max_table_size) {
    table_size = answer.table_size;
    return Step::again;
  }
  if (host_code(answer) == SNP_GUEST_VMM_ERR_BUSY || answer.error == EAGAIN || answer.error == EINTR) {
    return Step::again;
  }
  // Hosts without support for the extended request know the plain one.
  return table_size > 0 && answer.error == ENOTTY ? Step::without_certificates : Step::failed;
}

std::unexpected<Error> failed(const SevGuestDevice::Answer& answer) {
  if (answer.error == ENOENT || answer.error == ENXIO || answer.error == ENODEV) {
    return fail(EvidenceError::no_device, std::string{"/dev/sev-guest: "} + std::strerror(answer.error));
  }
  return fail(EvidenceError::device_failed, std::string{"/dev/sev-guest gave no report: "} +
                                                std::strerror(answer.error) + ", host code " +
                                                std::to_string(host_code(answer)) + ", firmware code " +
                                                std::to_string(answer.exit_info & 0xffffffffU));
}

Result<Report> read_response(ByteView response) {
  ByteReader reader{response};
  const auto status = TRY(reader.u32_le("status"));
  const auto size = TRY(reader.u32_le("report size"));
  if (status != 0 || size != report_size) {
    return fail(EvidenceError::device_failed, "the firmware answers with status " + std::to_string(status) +
                                                  " and a report of " + std::to_string(size) + " bytes");
  }
  TRY(reader.skip(response_header - 8, "reserved"));
  return Report::parse(TRY(reader.bytes(report_size, "report")));
}

}  // namespace

std::unique_ptr<SevGuestDevice> system_sev_guest(std::filesystem::path root) {
  return std::make_unique<SystemDevice>(root);
}

Result<Evidence> request_evidence(SevGuestDevice& device, const Field<64>& report_data) {
  std::uint32_t table_size = first_table_size;
  SevGuestDevice::Answer answer;
  for (unsigned attempt = 0; attempt < max_attempts; ++attempt) {
    if (attempt > 0) device.pause();
    answer = device.get_report(report_data, 0, table_size);
    const auto step = next_step(answer, table_size);
    if (step == Step::failed) break;
    if (step == Step::without_certificates) table_size = 0;
    if (step != Step::done) continue;
    auto report = read_response(answer.response);
    if (!report) return fail(EvidenceError::device_failed, "/dev/sev-guest: " + report.error().message);
    // The firmware echoes what it was given; anything else is another request's report.
    if (report->report_data != report_data) {
      return fail(EvidenceError::device_failed, "/dev/sev-guest gave a report over other report data than asked for");
    }
    const auto table = table_size == 0 ? ByteView{} : ByteView{answer.certificate_table};
    return Evidence {
      *std::move(report), TRY(parse_certificate_table(table))
    };
  }
  return failed(answer);
}

}  // namespace coffer::evidence::snp
