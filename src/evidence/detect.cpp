#include "evidence/detect.h"

#include <algorithm>
#include <fstream>

namespace coffer::evidence {

namespace fs = std::filesystem;

namespace {

bool present(const fs::path& root, std::string_view file) {
  std::error_code ignored;
  return fs::exists(root / fs::path{file.substr(1)}, ignored);
}

// At most 64 bytes of a small sysfs file, without the newline at its end; empty where it cannot be read.
std::string first_line(const fs::path& root, std::string_view file) {
  std::ifstream in{root / fs::path{file.substr(1)}};
  std::string line(64, '\0');
  in.read(line.data(), static_cast<std::streamsize>(line.size()));
  line.resize(static_cast<std::size_t>(in.gcount()));
  return line.substr(0, line.find('\n'));
}

struct DeviceFile {
  TeeKind kind;
  std::string_view file;
  std::string_view content;  // empty: that the file is there suffices
};

// Upstream's order (guest-components.md 2.3); a plain TPM comes last because most confidential VMs have one as well.
// The two Azure kinds show themselves only in their vTPM's NV index, which takes opening the TPM: here they are "tpm".
constexpr DeviceFile device_files[] = {
    {TeeKind::tdx, "/dev/tdx_guest", ""},
    {TeeKind::tdx, "/dev/tdx-guest", ""},
    {TeeKind::sgx, "/dev/attestation/attestation_type", "dcap"},
    {TeeKind::snp, "/sys/devices/platform/sev-guest", ""},
    {TeeKind::snp, "/dev/sev-guest", ""},
    {TeeKind::csv, "/dev/csv-guest", ""},
    {TeeKind::cca, "/sys/devices/platform/arm-cca-dev", ""},
    {TeeKind::se, "/sys/firmware/uv/prot_virt_guest", "1"},
    {TeeKind::nitro, "/dev/nsm", ""},
    {TeeKind::tpm, "/dev/tpmrm0", ""},
    {TeeKind::tpm, "/dev/tpm0", ""},
};

bool shows(const fs::path& root, const DeviceFile& device) {
  return device.content.empty() ? present(root, device.file) : first_line(root, device.file) == device.content;
}

}  // namespace

std::vector<DetectedTee> detect_tees(const fs::path& root) {
  std::vector<DetectedTee> found;
  for (const auto& device : device_files) {
    const bool known = std::ranges::find(found, device.kind, &DetectedTee::kind) != found.end();
    if (!known && shows(root, device)) found.push_back({device.kind, std::string{device.file}});
  }
  return found;
}

std::optional<DetectedTee> detect_tee(const fs::path& root) {
  auto all = detect_tees(root);
  if (all.empty()) return std::nullopt;
  return std::move(all.front());
}

}  // namespace coffer::evidence
