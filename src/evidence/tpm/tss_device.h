// This machine's TPM through libtss2.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "evidence/tpm/device.h"

namespace coffer::evidence::tpm {

struct TssOptions {
  std::string tcti{};  // "device:/dev/tpmrm0"
  std::uint32_t ak_handle = 0x81010002;
  bool ak_explicit = false;  // the handle was named: no other key is used in its place
  bool create_ak = false;
  std::filesystem::path ak_certificate{};  // PEM, the key's own certificate first; empty: none

  // AA_TPM_DEVICE: a device file, or a TCTI string (with a colon); otherwise the first of <root>/dev/tpmrm0, tpm0,
  // tpm1, tpm2. AA_TPM_AK_HANDLE: hexadecimal. COFFER_TPM_CREATE_AK=1. COFFER_TPM_AK_CERT: a file. no_device where
  // there is none, bad_config for a handle that is no number.
  static Result<TssOptions> from_environment(const std::filesystem::path& root = "/");
};

// Opened anew for each call.
std::unique_ptr<TpmDevice> make_tss_device(TssOptions options);

}  // namespace coffer::evidence::tpm
