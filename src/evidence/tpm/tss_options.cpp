#include <charconv>
#include <cstdlib>

#include "evidence/tee.h"
#include "evidence/tpm/tss_device.h"

namespace coffer::evidence::tpm {

namespace fs = std::filesystem;

namespace {

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string{} : std::string{value};
}

Result<std::string> find_tpm(const fs::path& root) {
  if (const auto named = environment("AA_TPM_DEVICE"); !named.empty()) {
    if (named.contains(':')) return named;
    std::error_code ignored;
    if (fs::exists(named, ignored)) return "device:" + named;
    return fail(EvidenceError::no_device, "AA_TPM_DEVICE names " + named + ", which does not exist");
  }
  // The kernel's resource manager first: it lets several programs use the TPM at once.
  for (const auto name : {"dev/tpmrm0", "dev/tpm0", "dev/tpm1", "dev/tpm2"}) {
    std::error_code ignored;
    if (fs::exists(root / name, ignored)) return "device:" + (root / name).string();
  }
  return fail(EvidenceError::no_device,
              "no TPM: neither /dev/tpmrm0 nor /dev/tpm0 exists, and AA_TPM_DEVICE is not set");
}

Result<std::uint32_t> parse_handle(std::string_view text) {
  auto digits = text;
  if (digits.starts_with("0x") || digits.starts_with("0X")) digits.remove_prefix(2);
  std::uint32_t out = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), out, 16);
  if (error == std::errc{} && end == digits.data() + digits.size() && !digits.empty()) return out;
  return fail(EvidenceError::bad_config,
              "AA_TPM_AK_HANDLE is expected to be a hexadecimal number, found \"" + std::string{text} + "\"");
}

}  // namespace

Result<TssOptions> TssOptions::from_environment(const fs::path& root) {
  TssOptions out {
    TRY(find_tpm(root))
  };
  if (const auto handle = environment("AA_TPM_AK_HANDLE"); !handle.empty()) {
    out.ak_handle = TRY(parse_handle(handle));
    out.ak_explicit = true;
  }
  out.create_ak = environment("COFFER_TPM_CREATE_AK") == "1";
  out.ak_certificate = environment("COFFER_TPM_AK_CERT");
  return out;
}

}  // namespace coffer::evidence::tpm
