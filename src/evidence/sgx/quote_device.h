// What runs an enclave's program and answers with quotes: Gramine by files, Occlum by an ioctl.
#pragma once

#include <filesystem>
#include <memory>

#include "base/bytes.h"
#include "base/result.h"

namespace coffer::evidence::sgx {

class QuoteDevice {
 public:
  virtual ~QuoteDevice() = default;
  // report_data: 64 bytes. no_device, device_failed (EvidenceError).
  virtual Result<Bytes> quote(ByteView report_data) = 0;
};

// Gramine's /dev/attestation: `user_report_data` is written, `quote` read (Gramine, "Attestation and Secret
// Provisioning").
std::unique_ptr<QuoteDevice> gramine_device(std::filesystem::path directory = "/dev/attestation");
// Occlum's /dev/sgx: SGXIOC_GET_DCAP_QUOTE_SIZE and SGXIOC_GEN_DCAP_QUOTE.
std::unique_ptr<QuoteDevice> occlum_device(std::filesystem::path device = "/dev/sgx");
// The one below `root`: Gramine's where its directory is there, otherwise Occlum's. Looked for at each question.
std::unique_ptr<QuoteDevice> system_quote_device(std::filesystem::path root = "/");

}  // namespace coffer::evidence::sgx
