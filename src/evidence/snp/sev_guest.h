// /dev/sev-guest: the report that the firmware makes and the certificates that the host lays beside it
// (linux/sev-guest.h; GHCB specification 56421, section 4.1.8).
#pragma once

#include <filesystem>
#include <memory>

#include "evidence/device/configfs_tsm.h"
#include "evidence/snp/evidence.h"
#include "evidence/tee.h"

namespace coffer::evidence::snp {

// The one system call that the driver takes, so that tests can stand in for it.
class SevGuestDevice {
 public:
  struct Answer {
    int error = 0;                 // errno, 0 for success
    std::uint64_t exit_info = 0;   // SW_EXITINFO2: the host's code in the upper half, the firmware's in the lower
    std::uint32_t table_size = 0;  // what the certificates need, where the host says that they did not fit
    Bytes response{};              // of the firmware: status, size, report
    Bytes certificate_table{};
  };
  virtual ~SevGuestDevice() = default;
  // SNP_GET_EXT_REPORT with room for `table_size` bytes of certificates, a multiple of 4096; 0: SNP_GET_REPORT.
  virtual Answer get_report(const Field<64>& report_data, std::uint32_t vmpl, std::uint32_t table_size) = 0;
  virtual void pause() = 0;  // between attempts
};

// Opens the device below `root` at each call; where there is none, the kernel's TSM reports stand in.
std::unique_ptr<SevGuestDevice> system_sev_guest(std::filesystem::path root);
// The same firmware behind configfs-tsm, provider "sev_guest" (Linux 6.7 on): outblob is the report, auxblob the table.
// The kernel chooses the VMPL.
std::unique_ptr<SevGuestDevice> tsm_sev_guest(device::ConfigfsTsm tsm);

// Asks at VMPL 0. no_device, or device_failed after a short answer, a refusal of the firmware or five busy attempts.
// A host without certificates is no error.
Result<Evidence> request_evidence(SevGuestDevice& device, const Field<64>& report_data);

// The table of 56421 section 4.1.8.1: GUID, offset and length an entry, then the certificates. Empty where the host
// sent none; device_failed where an entry points outside.
Result<std::vector<CertificateEntry>> parse_certificate_table(ByteView table);
Bytes make_certificate_table(std::span<const CertificateEntry> certificates);  // padded to 4096 bytes

// An attester over any device.
Result<std::unique_ptr<Attester>> make_attester_on(std::unique_ptr<SevGuestDevice> device);

}  // namespace coffer::evidence::snp
